#!/usr/bin/env bash
# destroy.sh ENV: removes an environment, last unit first, after its name has
# been typed. The registry and the state stay.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

environment=${1:-}
need_environment "$environment" destroy
need_terraform
if ! no_cloud; then
  need_aws
  check_account "$environment"
fi
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
    die "$unit could not be destroyed; protected tables must first be deployed with deletion_protection = false in live/$environment/env.hcl"
done
say "destroy $environment: done; the registry (live/_global) and the state stay"
