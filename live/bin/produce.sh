#!/usr/bin/env bash
# produce.sh ENV [COUNT]: runs the producer once as a task of its own and waits
# for its account. COUNT messages, else what the task definition says.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

environment=${1:-} count=${2:-}
need_environment "$environment" produce
[[ -z $count || $count =~ ^[1-9][0-9]*$ ]] || usage "COUNT: want a number of messages"
need_aws
need_terraform
check_account "$environment"
definition=$(in_unit "$environment/ecs" output -raw producer_task_definition_arn) ||
  die "$environment has no producer; set producer = \"task\" under ecs in live/$environment/env.hcl and deploy"
overrides='{}'
[ -z "$count" ] || overrides='{"containerOverrides":[{"name":"producer","environment":[{"name":"PRODUCER_COUNT","value":"'$count'"}]}]}'
run_once "$environment" "$definition" "$overrides" producer/producer
[ "$code" = 0 ] || die "the producer ended with exit code $code"
