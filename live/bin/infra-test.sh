#!/usr/bin/env bash
# infra-test.sh: every check of Terraform, Terragrunt and scripts that needs no
# AWS account. Skips, and says so, what the machine lacks; INFRA_REQUIRE=1 makes
# each of those a failure. INFRA_ONLY names one part: fmt, modules, plans, go,
# deploy, scripts, scan; INFRA_UNITS (a pattern) limits which units are planned,
# INFRA_MODULES which modules are tested, INFRA_RUN which checks in Go are run.
# INFRA_PLANS keeps the plans in that folder.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=()

skip() {
  [ -z "${INFRA_REQUIRE:-}" ] || die "$*, and INFRA_REQUIRE is set"
  say "SKIP: $*"
}

part() {
  local name=$1 status
  [ "${INFRA_ONLY:-$name}" = "$name" ] || return 0
  step "$name"
  # Not as a condition: there, set -e is off and only the last command counts.
  set +e
  (
    set -e
    "check_$name"
  )
  status=$?
  set -e
  if [ "$status" = 0 ]; then say "$name: ok ($SECONDS s)"; else failed+=("$name"); fi
}

check_fmt() {
  terraform fmt -check -recursive "$root/modules"
  terragrunt hcl fmt --check --working-dir "$root/live"
}

check_modules() {
  local module status=0
  for module in "$root"/modules/*/; do
    module=$(basename "$module")
    [[ $module =~ ${INFRA_MODULES:-.} ]] || continue
    (
      cd "$work/tree/modules/$module" || exit 1
      terraform init -backend=false -input=false -no-color >"$work/init.log" 2>&1 || { cat "$work/init.log" && exit 1; }
      terraform validate -no-color >"$work/validate.log" 2>&1 || { cat "$work/validate.log" && exit 1; }
      terraform test -no-color >"$work/test.log" 2>&1 || { cat "$work/test.log" && exit 1; }
      say "$module: $(tail -n 1 "$work/test.log")"
    ) || status=1
  done
  return "$status"
}

# check_plans: every unit of every environment, and one environment more, with a
# registered consumer, as JSON for the checks in Go. Environments side by side,
# the units of one in turn: each looks for the outputs of those before it.
check_plans() {
  local environment pids=() pid status=0
  cp -R "$work/tree/live/staging" "$work/tree/live/fanout"
  sed -i.bak -e 's/environment = "staging"/environment = "fanout"/' \
    -e 's/^ *shard_count *= 3/&\n    fan_out_consumers = ["consumer"]/' "$work/tree/live/fanout/env.hcl"
  grep -q fan_out_consumers "$work/tree/live/fanout/env.hcl"
  for environment in _global staging production fanout; do
    plan_environment "$environment" &
    pids+=($!)
  done
  for pid in "${pids[@]}"; do wait "$pid" || status=1; done
  return "$status"
}

plan_environment() {
  local unit plan names=("${units[@]}")
  [ "$1" != _global ] || names=(ecr)
  for unit in "${names[@]}"; do
    [[ $1/$unit =~ ${INFRA_UNITS:-.} ]] || continue
    plan=$work/$1-$unit
    in_unit "$1/$unit" plan -out="$plan.tfplan" >"$plan.log" 2>&1 || { cat "$plan.log" && die "$1/$unit does not plan"; }
    in_unit "$1/$unit" show -json "$plan.tfplan" >"$plans/$1-$unit.json"
    say "$1/$unit: $(grep -m 1 -o 'Plan: .*' "$plan.log")"
  done
}

# check_go: the checks of plans; those of scripts need none, and are run by task
# test, but for one that is asked for.
check_go() {
  local which=(-skip '^Test(Scripts|Release|Vulncheck)')
  [ -z "${INFRA_RUN:-}" ] || which=(-run "$INFRA_RUN")
  BOTOCORE_DATA=${BOTOCORE_DATA:-$(botocore)}
  [ -n "$BOTOCORE_DATA" ] || skip "no model of the AWS API: pip install botocore (checkov brings it)"
  (cd "$root/e2e" && INFRA_PLANS=$plans BOTOCORE_DATA=$BOTOCORE_DATA GOWORK=off go test -count=1 "${which[@]}" ./infra)
}

# botocore: the folder of AWS's models of its own APIs, from checkov's Python or any other.
botocore() {
  local python
  for python in "$(dirname "$(command -v "${CHECKOV:-checkov}" || echo .)")/python3" python3; do
    "$python" -c 'import botocore, os; print(os.path.join(os.path.dirname(botocore.__file__), "data"))' 2>/dev/null && return
  done
}

# check_deploy: the whole of deploy and destroy with local state. Where the
# provider can reach nothing, all of it is applied; else it is a dry run.
check_deploy() {
  "$root/live/bin/deploy.sh" staging --dry >"$work/dry.log" 2>&1 || { tail -n 40 "$work/dry.log" && return 1; }
  tail -n 1 "$work/dry.log"
  if [ -z "${INFRA_OFFLINE_PROVIDER:-}" ] && ! grep -qs filesystem_mirror "${TF_CLI_CONFIG_FILE:-}"; then
    skip "applying needs a provider that reaches no account (INFRA_OFFLINE_PROVIDER=1 says it does not)"
    return
  fi
  export INFRA_STATE=local INFRA_STATE_DIR=$work/applied
  "$work/tree/live/bin/deploy.sh" staging >"$work/deploy.log" 2>&1 || { tail -n 40 "$work/deploy.log" && return 1; }
  tail -n 1 "$work/deploy.log"
  "$work/tree/live/bin/deploy.sh" staging >"$work/again.log" 2>&1
  [ "$(grep -c 'nothing to change' "$work/again.log")" = 5 ] || { tail -n 40 "$work/again.log" && die "a second deploy changes something"; }
  say "deploy staging: nothing to change the second time"
  (verb_definition staging leasekeeper) >"$work/verb.log" 2>&1 || { cat "$work/verb.log" && return 1; }
  protect true
  ! echo staging | "$work/tree/live/bin/destroy.sh" staging >"$work/protected.log" 2>&1 || die "destroy went ahead though the tables are protected"
  grep -q 'nothing was destroyed' "$work/protected.log" || { tail -n 5 "$work/protected.log" && return 1; }
  protect false
  (export INFRA_MOCKS=no && in_unit staging/kinesis run -- taint aws_kinesis_stream.this) >"$work/taint.log" 2>&1
  ! "$work/tree/live/bin/deploy.sh" staging >"$work/lose.log" 2>&1 || die "deploy lost data unasked"
  grep -q 'aws_kinesis_stream.this is tainted, so must be replaced' "$work/lose.log" || { tail -n 5 "$work/lose.log" && return 1; }
  say "deploy staging: does not make the stream anew unasked"
  ! "$work/tree/live/bin/destroy.sh" staging </dev/null >/dev/null 2>&1 || die "destroy went ahead without the name"
  echo staging | "$work/tree/live/bin/destroy.sh" staging >"$work/destroy.log" 2>&1 || { tail -n 40 "$work/destroy.log" && return 1; }
  tail -n 1 "$work/destroy.log"
}

# protect BOOLEAN: protects the tables of what check_deploy has applied, or not any more.
protect() {
  in_unit staging/dynamodb apply -auto-approve -var "deletion_protection=$1" >"$work/protect.log" 2>&1 || { tail -n 5 "$work/protect.log" && return 1; }
}

check_scripts() {
  command -v shellcheck >/dev/null 2>&1 || { skip "shellcheck is not on the PATH" && return; }
  (cd "$root/live/bin" && shellcheck -x ./*.sh)
  "$root/live/bin/cost.sh" >"$work/cost"
  sed -n '/<!-- cost:begin -->/,/<!-- cost:end -->/p' "$root/docs/DEPLOY.md" | grep -v '<!--' | diff "$work/cost" - ||
    die "docs/DEPLOY.md does not show what live/bin/cost.sh prints"
}

# check_scan: checkov, from the PATH or CHECKOV, on modules; exceptions stand in
# the resources, each with its reason.
check_scan() {
  local checkov=${CHECKOV:-checkov}
  command -v "$checkov" >/dev/null 2>&1 || { skip "checkov is not on the PATH (pip install checkov)" && return; }
  "$checkov" --directory "$work/tree/modules" --framework terraform --compact --quiet --skip-download \
    --skip-path tests >"$work/scan.log" 2>&1 || { cat "$work/scan.log" && return 1; }
  say "checkov: nothing but what is excepted in place"
}

if ! command -v terraform >/dev/null 2>&1 || ! command -v terragrunt >/dev/null 2>&1; then
  skip "terraform or terragrunt is not on the PATH: see docs/DEPLOY.md"
  exit 0
fi
export GOGC=${GOGC:-400} # Terraform and its providers spend a quarter of their time collecting garbage
export INFRA_CLOUD=none INFRA_STATE=local INFRA_STATE_DIR=$work/state CHECKPOINT_DISABLE=1
plans=${INFRA_PLANS:-$work/plans}
mkdir -p "$work/tree" "$plans"
copy_tree "$work/tree"
tree=$work/tree
[ -z "${INFRA_ONLY:-}" ] || [ "$INFRA_ONLY" != go ] || (check_plans)
for name in fmt modules plans go deploy scripts scan; do part "$name"; done
[ "${#failed[@]}" = 0 ] || die "failed: ${failed[*]}"
say "infra:test: all passed in $SECONDS s"
