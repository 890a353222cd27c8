#!/usr/bin/env bash
# plan.sh ENV: shows what deploy would do to each unit, in order. Units that do
# not exist yet are planned with stand-ins for what they will be given.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

environment=${1:-}
need_environment "$environment" plan
need_terraform
if no_cloud; then
  say "INFRA_CLOUD=none: planned without asking an account"
else
  need_aws
  check_account "$environment"
fi
for unit in "${units[@]}"; do
  step "$environment/$unit"
  in_unit "$environment/$unit" plan
done
