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
subnets=$(in_unit "$environment/ecs" output -json subnet_ids)
group=$(in_unit "$environment/ecs" output -raw security_group_id)
overrides='{}'
[ -z "$count" ] || overrides='{"containerOverrides":[{"name":"producer","environment":[{"name":"PRODUCER_COUNT","value":"'$count'"}]}]}'
task=$(call "$environment" ecs run-task --cluster "$environment" --task-definition "$definition" --launch-type FARGATE \
  --network-configuration '{"awsvpcConfiguration":{"subnets":'"$subnets"',"securityGroups":["'"$group"'"],"assignPublicIp":"DISABLED"}}' \
  --overrides "$overrides" --query 'tasks[0].taskArn')
if [ -z "$task" ] || [ "$task" = None ]; then die "ECS started no task; task status ENV=$environment says more"; fi
say "started $task"
call "$environment" ecs wait tasks-stopped --cluster "$environment" --tasks "$task"
code=$(call "$environment" ecs describe-tasks --cluster "$environment" --tasks "$task" --query 'tasks[0].containers[0].exitCode')
call "$environment" logs tail "/ecs/$environment" --log-stream-names "producer/producer/${task##*/}" --since 1h --format short | tail -n 3
[ "$code" = 0 ] || die "the producer ended with exit code $code"
