#!/usr/bin/env bash
# scale.sh ENV COUNT: asks for COUNT tasks now, within the bounds of env.hcl.
# Autoscaling goes on from there; a lasting change belongs in env.hcl.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

environment=${1:-} count=${2:-}
need_environment "$environment" scale
[[ $count =~ ^[0-9]+$ ]] || usage "COUNT: want a number of tasks, as in: task scale ENV=$environment COUNT=3"
need_aws
check_account "$environment"
read -r min max < <(call "$environment" application-autoscaling describe-scalable-targets --service-namespace ecs \
  --resource-ids "service/$environment/consumer" --query 'ScalableTargets[0].[MinCapacity,MaxCapacity]')
[[ $min =~ ^[0-9]+$ && $max =~ ^[0-9]+$ ]] || die "$environment has no service to scale; deploy it first"
if [ "$count" -lt "$min" ] || [ "$count" -gt "$max" ]; then
  die "COUNT: want $min to $max; the bounds are tasks.min and tasks.max in live/$environment/env.hcl"
fi
call "$environment" ecs update-service --cluster "$environment" --service consumer --desired-count "$count" \
  --query 'service.[serviceName,desiredCount,runningCount]'
