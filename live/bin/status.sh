#!/usr/bin/env bash
# status.sh ENV [--stopped]: what runs, who holds which shard, what went wrong.
# shellcheck disable=SC2016 # backticks are JMESPath literals
# --stopped shows only why the last tasks stopped.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

environment=${1:-}
need_environment "$environment" status
need_aws
ask() { call "$environment" "$@"; }

stopped() {
  local tasks
  tasks=$(describe_tasks "$environment" \
    "tasks[].[stoppedAt,stoppedReason,join(', ',containers[].join(' ',[name,to_string(not_null(exitCode,'-')),not_null(reason,'')]))]" STOPPED)
  if [ -z "$tasks" ]; then say "no task has stopped in the last hour"; else sort <<<"$tasks" | tail -n 5; fi
}

# alarms PREFIX: those that ring; the two that start and stop tasks ring all the time.
alarms() {
  ask cloudwatch describe-alarms --alarm-name-prefix "$1" --state-value ALARM \
    --query "MetricAlarms[?!ends_with(AlarmName,'-scale-in')&&!ends_with(AlarmName,'-scale-out')].[AlarmName,StateReason]"
}

if [ "${2:-}" = --stopped ]; then
  stopped
  exit
fi
check_account "$environment"
step "services (desired, running, roll-out, task definition)"
ask ecs describe-services --cluster "$environment" --services consumer producer \
  --query 'services[?status==`ACTIVE`].[serviceName,desiredCount,runningCount,deployments[0].rolloutState,taskDefinition]'
step "leases (shard, owner, generation, checkpoint)"
ask dynamodb scan --table-name "$(lease_table "$environment")" --query 'Items[].[leaseKey.S,leaseOwner.S,leaseCounter.N,checkpoint.S]' | sort
step "workers (id, state, version)"
ask dynamodb scan --table-name "$environment-workers" --query 'Items[?counter].[workerId.S,state.S,version.S]' | sort
step "alarms"
alarms "$environment-"
stream=$(setting "$environment" name)
[[ $stream == "$environment-"* ]] || alarms "$stream-"
step "stopped tasks"
stopped
