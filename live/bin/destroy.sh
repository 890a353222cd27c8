#!/usr/bin/env bash
# destroy.sh ENV: removes an environment, last unit first, after its name has
# been typed. The registry and the state stay. While its tables are protected it
# touches nothing: without the service, say, they would still be there, unread.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

environment=${1:-}
need_environment "$environment" destroy
need_terraform
if ! no_cloud; then
  need_aws
  check_account "$environment"
fi
outputs=$(in_unit "$environment/dynamodb" output -json) || die "$environment/dynamodb: its state cannot be read; nothing was destroyed"
protected='"deletion_protection": *\{[^}]*"value": *true'
[[ ! $outputs =~ $protected ]] ||
  die "the tables of $environment are protected; nothing was destroyed. Deploy with deletion_protection = false in live/$environment/env.hcl first"
say "This deletes $environment: its messages, leases, stream and network. Nothing brings them back."
agree "Destroy $environment?" "$environment" || die "nothing was destroyed"
for ((i = ${#units[@]} - 1; i >= 0; i--)); do
  unit=$environment/${units[i]}
  step "$unit"
  if ! held=$(in_unit "$unit" state list 2>&1); then
    case $held in *"No state file was found"*) held= ;; *) die "$unit: its state cannot be read: $held" ;; esac
  fi
  if [ -z "$held" ]; then
    say "$unit: nothing there"
    continue
  fi
  in_unit "$unit" destroy -auto-approve ||
    die "$unit could not be destroyed; mend the cause and run destroy again, it goes on where it stopped"
done
say "destroy $environment: done; the registry (live/_global) and the state stay"
