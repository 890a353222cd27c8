#!/usr/bin/env bash
# scale.sh ENV COUNT: asks for COUNT tasks now, within the bounds of env.hcl.
# Autoscaling goes on from there; a lasting change belongs in env.hcl. COUNT 0
# stops the service until another COUNT: autoscaling is suspended, and the alarms
# that tell of missing readers are silent. Deploys leave it so.
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
if [ "$count" != 0 ] && { [ "$count" -lt "$min" ] || [ "$count" -gt "$max" ]; }; then
  die "COUNT: want 0, or $min to $max; the bounds are tasks.min and tasks.max in live/$environment/env.hcl"
fi
if [ "$count" = 0 ]; then suspended=true alarms=disable; else suspended=false alarms=enable; fi
call "$environment" application-autoscaling register-scalable-target --service-namespace ecs --resource-id "service/$environment/consumer" \
  --scalable-dimension ecs:service:DesiredCount --query ScalableTargetARN --suspended-state \
  "DynamicScalingInSuspended=$suspended,DynamicScalingOutSuspended=$suspended,ScheduledScalingSuspended=$suspended" >/dev/null
call "$environment" cloudwatch "$alarms-alarm-actions" --alarm-names "$environment-tasks-missing" "$environment-nobody-reads"
call "$environment" ecs update-service --cluster "$environment" --service consumer --desired-count "$count" \
  --query 'service.[serviceName,desiredCount,runningCount]'
