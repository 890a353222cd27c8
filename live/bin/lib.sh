# shellcheck shell=bash
# shellcheck disable=SC2034 # the scripts that source this use them
# What the scripts of this folder share. Sourced, never run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tree=$root # where live/ and modules/ are run from; a dry run has a copy
bootstrap=false # whether the state's bucket is made where it is missing: by deploy alone
binaries=(producer consumer leasekeeper)
units=(vpc kinesis dynamodb ecs) # in the order in which they are made

say() { printf '%s\n' "$*"; }
step() { printf '\n== %s\n' "$*"; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}
usage() {
  printf '%s\n' "$*" >&2
  exit 2
}

# need TOOL HINT: stop unless TOOL is on the PATH.
need() { command -v "$1" >/dev/null 2>&1 || die "$1 is not on the PATH; $2"; }

no_cloud() { [ "${INFRA_CLOUD:-aws}" = none ]; }

# one_of VALUE CHOICE...: true when VALUE is one of the choices.
one_of() {
  local value=$1 choice
  shift
  for choice in "$@"; do [ "$value" = "$choice" ] && return 0; done
  return 1
}

need_environment() {
  one_of "${1:-}" staging production || usage "ENV: want staging or production, as in: task ${2:-deploy} ENV=staging"
}

# setting ENV KEY: the value of KEY = "…" in that environment's env.hcl.
setting() {
  local value
  value=$(sed -n "/^ *$2 *= *\"/{s/^[^\"]*\"\([^\"]*\)\".*/\1/p;q;}" "$root/live/$1/env.hcl")
  [ -n "$value" ] || die "live/$1/env.hcl: no $2 = \"…\""
  printf '%s' "$value"
}

# version_of ENV BINARY: the version pinned in the versions block of env.hcl.
version_of() {
  local value
  value=$(sed -n '/^ *versions *= *{/,/^ *}/p' "$root/live/$1/env.hcl" | sed -n "s/^ *$2 *= *\"\([^\"]*\)\".*/\1/p")
  [ -n "$value" ] || die "live/$1/env.hcl: versions has no $2"
  printf '%s' "$value"
}

# lease_table ENV: the environment's own, or the KCL application's it took over.
lease_table() {
  local taken
  taken=$(sed -n 's/^ *kcl_lease_table *= *"\([^"]*\)".*/\1/p' "$root/live/$1/env.hcl")
  printf '%s' "${taken:-$1-leases}"
}

registry_host() { printf '%s.dkr.ecr.%s.amazonaws.com' "$(setting _global account_id)" "$(setting _global region)"; }
repository() { printf '%s/%s' "$(setting _global namespace)" "$1"; }

# call ENV ARGUMENT...: the AWS CLI in that environment's region, plain text out.
call() {
  local region
  region=$(setting "$1" region)
  shift
  aws --region "$region" --output text --no-cli-pager "$@"
}

# describe_tasks ENV QUERY STATUS ARGUMENT...: what QUERY says of the cluster's
# tasks of that desired status, which list-tasks' ARGUMENTs limit. ECS describes a
# hundred in one call, and a fleet that stops again and again has more in an hour.
describe_tasks() {
  local environment=$1 query=$2 arns
  arns=$(call "$environment" ecs list-tasks --cluster "$environment" --desired-status "${@:3}" --query 'taskArns') || return
  read -ra arns -d '' <<<"${arns//None/}" || true
  while [ "${#arns[@]}" -gt 0 ]; do
    call "$environment" ecs describe-tasks --cluster "$environment" --tasks "${arns[@]:0:100}" --query "$query" || return
    arns=("${arns[@]:100}")
  done
}

# check_account ENV: stop unless the credentials at hand are that environment's.
check_account() {
  local want have
  want=$(setting "$1" account_id)
  [ "$want" != 123456789012 ] || die "live/$1/env.hcl: account_id is still the placeholder; put your account's id there"
  have=$(call "$1" sts get-caller-identity --query Account) ||
    die "no valid AWS credentials; sign in (aws sso login, or AWS_PROFILE) and try again"
  [ "$have" = "$want" ] || die "these credentials are of account $have, but live/$1/env.hcl says $want"
  say "account $have, region $(setting "$1" region)"
}

# image_exists BINARY VERSION: true when the registry has it. An answer other
# than yes and no stops the script: a wrong guess would overwrite or deploy nothing.
image_exists() {
  local answer
  if answer=$(call _global ecr describe-images --registry-id "$(setting _global account_id)" \
    --repository-name "$(repository "$1")" --image-ids "imageTag=$2" --query 'imageDetails[0].imageDigest' 2>&1); then
    return 0
  fi
  case $answer in
    *ImageNotFoundException* | *RepositoryNotFoundException*) return 1 ;;
  esac
  die "ask the registry for $1:$2: $answer"
}

# in_unit UNIT ARGUMENT...: terragrunt in live/UNIT, speaking plainly. Two
# environments deployed at once meet in the registry's unit: one waits for the other.
in_unit() {
  local unit=$1 patience=-lock-timeout=3m
  shift
  (cd "$tree/live/$unit" &&
    TF_CLI_ARGS_plan=$patience TF_CLI_ARGS_apply=$patience TF_CLI_ARGS_destroy=$patience TF_IN_AUTOMATION=1 TG_NON_INTERACTIVE=true TG_TF_FORWARD_STDOUT=true TG_LOG_LEVEL="${TG_LOG_LEVEL:-error}" \
      TG_BACKEND_BOOTSTRAP="$(no_cloud && echo false || echo "$bootstrap")" terragrunt --no-color "$@")
}

# copy_tree FOLDER: what a run needs, without what an earlier one left.
copy_tree() { tar -C "$root" --exclude=.terragrunt-cache --exclude=.terraform -cf - live modules | tar -C "$1" -xf -; }

# forget_other_state: work folders remember the state they were made for, and
# terragrunt reads the outputs of dependencies from them unseen. So they go when
# another state is used than the last time.
forget_other_state() {
  local state=${INFRA_STATE:-s3} marker=$tree/live/.terragrunt-cache/state
  [ "$state" = s3 ] || state=${INFRA_STATE_DIR:-$tree/.state}
  if [ "$(cat "$marker" 2>/dev/null)" != "$state" ]; then
    find "$tree/live" -type d -name .terragrunt-cache -prune -exec rm -rf {} +
    mkdir -p "${marker%/*}"
    printf '%s\n' "$state" >"$marker"
  fi
}

need_terraform() {
  need terraform "version 1.11 or later, from https://developer.hashicorp.com/terraform/install"
  need terragrunt "version 1.0 or later, from https://docs.terragrunt.com/getting-started/install"
  forget_other_state
}
need_aws() { need aws "the AWS CLI, version 2, from https://aws.amazon.com/cli"; }

# agree QUESTION WORD: true when the reader types WORD. Off a terminal nobody
# can, so it is a refusal.
agree() {
  local answer
  printf '%s Type %s to go on: ' "$1" "$2"
  read -r answer || answer=
  [ "$answer" = "$2" ]
}

# verb_definition ENV BINARY: ARN of the task definition that runs the binary's verbs.
verb_definition() {
  local outputs
  outputs=$(in_unit "$1/ecs" output -json verb_task_definition_arns) || die "deploy $1 first"
  [[ $outputs =~ \"$2\":\ *\"([^\"]+)\" ]] || die "$1 has no task definition for verbs of $2: $outputs"
  printf '%s' "${BASH_REMATCH[1]}"
}

# strings VALUE...: the values as strings of JSON, with commas between.
strings() {
  local value list=
  for value in "$@"; do
    value=${value//\\/\\\\}
    list+=,\"${value//\"/\\\"}\"
  done
  printf '%s' "${list#,}"
}

# run_once ENV DEFINITION OVERRIDES LOG [LINES]: runs a task, waits until it has
# ended, for a day at most, and shows the last 3 LINES of its log, LOG/<task>
# (+1: all of them). Its exit code is then in $code.
run_once() {
  local environment=$1 definition=$2 overrides=$3 log=$4 lines=${5:-3} subnets group task answer reason waits=0
  subnets=$(in_unit "$environment/ecs" output -json subnet_ids)
  group=$(in_unit "$environment/ecs" output -raw security_group_id)
  task=$(call "$environment" ecs run-task --cluster "$environment" --task-definition "$definition" --launch-type FARGATE \
    --network-configuration '{"awsvpcConfiguration":{"subnets":'"$subnets"',"securityGroups":["'"$group"'"],"assignPublicIp":"DISABLED"}}' \
    --overrides "$overrides" --query 'tasks[0].taskArn')
  if [ -z "$task" ] || [ "$task" = None ]; then die "ECS started no task; task status ENV=$environment says more"; fi
  say "started $task"
  until answer=$(call "$environment" ecs wait tasks-stopped --cluster "$environment" --tasks "$task" 2>&1); do # ten minutes a time
    case $answer in *"Max attempts exceeded"*) ;; *) die "$task runs and cannot be watched: $answer" ;; esac
    waits=$((waits + 1))
    [ "$waits" -lt 144 ] || die "$task still runs after a day; aws ecs stop-task stops it gently"
  done
  answer=$(call "$environment" ecs describe-tasks --cluster "$environment" --tasks "$task" --query 'tasks[0].[containers[0].exitCode,stoppedReason]')
  read -r code reason <<<"$answer"
  call "$environment" logs tail "/ecs/$environment" --log-stream-names "$log/${task##*/}" --since 1h --format short | tail -n "$lines" || true
  [ "$code" != None ] || die "$task never ran: $reason"
}
