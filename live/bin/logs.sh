#!/usr/bin/env bash
# logs.sh ENV [SINCE]: follows the logs of every container; SINCE as in 10m (default) or 2h.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

environment=${1:-}
need_environment "$environment" logs
need_aws
check_account "$environment"
exec aws --region "$(setting "$environment" region)" logs tail "/ecs/$environment" --since "${2:-10m}" --follow --format short
