#!/usr/bin/env bash
# deploy.sh ENV [--dry] [--yes] [--no-verify] [--lose-data]: brings one
# environment to what its env.hcl says and proves that it works. From an empty
# account on; safe to run again.
#
# Unit by unit in order: plan, show, (production: ask,) apply that very plan.
# --dry does everything but the cloud: no account is asked, nothing is applied.
# --yes answers production's questions beforehand, for a pipeline with its own approval.
# --no-verify applies and proves nothing, where nobody is to read yet.
# --lose-data lets a plan remove a stream, a table or a subnet, with what is in it.
# shellcheck disable=SC2016 # backticks are JMESPath literals
set -euo pipefail
. "$(dirname "$0")/lib.sh"

environment=${1:-}
need_environment "$environment"
shift
dry=no yes=no verify=yes lose=no pause=${DEPLOY_PAUSE:-20}
for argument in "$@"; do
  case $argument in
    --dry) dry=yes ;;
    --yes) yes=yes ;;
    --no-verify) verify=no ;;
    --lose-data) lose=yes ;;
    '') ;;
    *) usage "deploy: no option $argument; want --dry, --yes, --no-verify or --lose-data" ;;
  esac
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ "$dry" = yes ]; then
  export INFRA_CLOUD=none INFRA_STATE=local INFRA_STATE_DIR=$work/state
  copy_tree "$work"
  tree=$work
else
  export INFRA_MOCKS=no # what is applied was planned with the real thing
  bootstrap=true
fi

check_tools() {
  step "tools"
  need_terraform
  no_cloud || need_aws
  terraform version | sed -n 1p
  terragrunt --version
}

# check_images: each pinned version is in the registry, or is built from its tag.
check_images() {
  step "images"
  local binary version
  for binary in "${binaries[@]}"; do
    version=$(version_of "$environment" "$binary")
    if no_cloud; then
      say "$binary:$version (no cloud: not asked for)"
    elif image_exists "$binary" "$version"; then
      say "$binary:$version is there"
    elif git -C "$root" rev-parse -q --verify "refs/tags/$binary/v$version" >/dev/null; then
      say "$binary:$version is missing; building it from tag $binary/v$version"
      "$root/live/bin/images.sh" push "$binary" "$version"
    else
      die "$binary:$version is neither in the registry nor a tag here; release it first: task release MODULE=$binary VERSION=$version"
    fi
  done
}

# deploy_unit PATH: brings a unit to what it should be. What breaks off is planned
# and applied once more: in a new account the first service finds its linked role
# only just made, and what was made a moment ago is not yet known everywhere.
deploy_unit() {
  step "$1"
  apply_unit "$1" && return
  say "$1: applying broke off; in $pause s what is left is planned and applied once more"
  sleep "$pause"
  apply_unit "$1" ||
    die "$1: applying broke off; mend the cause and run deploy again, it goes on where it stopped. To go back: put what was there before into live/${1%%/*}/env.hcl and deploy that. Units after $1 are as they were"
}

# keep_data UNIT PLAN: stop where the plan removes a stream, a table or a part of
# the network, or makes one anew. A network is no data, but what runs in it first
# loses its way out and then keeps it from being deleted.
keep_data() {
  local shown lost
  shown=$(in_unit "$1" show -no-color "$2") || die "$1: the plan cannot be read, nothing of it was applied"
  lost=$(grep -E '^ *# aws_(kinesis_stream|dynamodb_table|vpc|subnet)\.[^ ]+ (will be destroyed|will be replaced|.*must be replaced)' <<<"$shown") || return 0
  [ "$lose" = yes ] ||
    die "$1: with all that is in it would be lost, so nothing was applied:
$lost
If that is meant (of a network only with no task in it: task scale COUNT=0): deploy once with -- --lose-data"
}

# apply_unit PATH: plan, show, ask where production is concerned, apply the plan.
apply_unit() {
  local unit=$1 plan status=0
  plan=$work/$(echo "$unit" | tr / -).tfplan
  in_unit "$unit" plan -out="$plan" -detailed-exitcode || status=$?
  case $status in
    0)
      say "$unit: nothing to change"
      return
      ;;
    2) ;;
    *) die "$unit: the plan failed, nothing of it was applied; what was made before it stays, and deploy can be run again" ;;
  esac
  keep_data "$unit" "$plan"
  if [ "$dry" = yes ]; then
    say "$unit: dry run, not applied"
    return
  fi
  if [ "$environment" = production ] && [ "$yes" = no ]; then
    agree "Apply this to $unit?" production || die "$unit: not applied, as you wish; what was applied before stays"
  fi
  in_unit "$unit" apply "$plan"
}

# begin_again: a roll-out that failed with none before it to go back to starts no
# task any more, whatever was mended since, and to Terraform it is as it should be.
begin_again() {
  local state
  state=$(call "$environment" ecs describe-services --cluster "$environment" --services consumer \
    --query 'services[0].deployments[?status==`PRIMARY`]|[0].rolloutState') || return 0 # verify asks again
  [ "$state" = FAILED ] || return 0
  step "roll-out"
  say "the one before failed; it is begun again"
  call "$environment" ecs update-service --cluster "$environment" --service consumer --force-new-deployment --query service.serviceName
}

check_tools
if ! no_cloud; then
  step "account"
  check_account "$environment"
fi
if [ "$(setting _global account_id)" = "$(setting "$environment" account_id)" ]; then
  deploy_unit _global/ecr
else
  say "the registry lies in account $(setting _global account_id) and is not touched from here"
fi
check_images
for unit in "${units[@]}"; do
  deploy_unit "$environment/$unit"
done

if no_cloud; then
  step "result"
  say "no cloud: the service was not waited for"
  say "$([ "$dry" = yes ] && echo "deploy $environment: dry run passed" || echo "deploy $environment: applied")"
  exit 0
fi
begin_again
if [ "$verify" = no ]; then
  say "deploy $environment: applied, not proven; later: task verify ENV=$environment"
  exit 0
fi
"$root/live/bin/verify.sh" "$environment"
say "deploy $environment: done and proven"
