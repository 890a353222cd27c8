#!/usr/bin/env bash
# verify.sh ENV: waits until the service runs what was deployed, then proves that
# the system works: tasks healthy, every shard held by a live worker, readers not
# falling behind. Says what is wrong and how to go back otherwise.
# shellcheck disable=SC2016 # backticks are JMESPath literals
# VERIFY_WAIT (900 s) bounds the wait, VERIFY_POLL (10 s) is between looks.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

environment=${1:-}
need_environment "$environment" verify
wait=${VERIFY_WAIT:-900} poll=${VERIFY_POLL:-10}
cluster=$environment service=consumer

ask() { call "$environment" "$@"; }

give_up() {
  printf 'error: %s\n' "$*" >&2
  say "The service's last words:" >&2
  ask ecs describe-services --cluster "$cluster" --services "$service" --query 'services[0].events[:5].message' >&2 || true
  say "Why the last tasks stopped:" >&2
  "$root/live/bin/status.sh" "$environment" --stopped >&2 || true
  cat >&2 <<-EOT
	What was running before goes on where it can: a failed roll-out is rolled back by ECS itself.
	To go back: put the versions before into live/$environment/env.hcl, then task deploy ENV=$environment.
	The logs: task logs ENV=$environment
	EOT
  exit 1
}

# wait_for_rollout WANTED: until the only deployment is the wanted one, complete.
wait_for_rollout() {
  local wanted=$1 deadline=$((SECONDS + wait)) state running
  while :; do
    # Asked in vain now and then; the deadline counts.
    read -r state running < <(ask ecs describe-services --cluster "$cluster" --services "$service" \
      --query 'services[0].deployments[?status==`PRIMARY`]|[0].[rolloutState,taskDefinition]') || state=
    case $state in
      COMPLETED)
        [ "$running" = "$wanted" ] || give_up "ECS rolled back: it runs $running, not $wanted"
        return
        ;;
      FAILED) give_up "the roll-out failed" ;;
    esac
    [ "$SECONDS" -lt "$deadline" ] || give_up "the service is not stable after $wait s (roll-out ${state:-unknown})"
    sleep "$poll"
  done
}

# check_tasks: until as many tasks are healthy as should be. Autoscaling may have
# asked for one more a moment ago, or Spot have taken one away.
check_tasks() {
  local healthy deadline=$((SECONDS + wait))
  while :; do
    healthy=$(describe_tasks "$environment" 'tasks[].[healthStatus]' RUNNING --service-name "$service" | grep -cx HEALTHY) || true
    [ "$healthy" -lt "$desired" ] || break
    [ "$SECONDS" -lt "$deadline" ] || give_up "$healthy of $desired tasks are healthy"
    sleep "$poll"
  done
  say "$healthy of $desired tasks healthy"
}

# unheld: shards whose lease has no owner, or one whose heartbeat stands still.
unheld() {
  local before after leases
  before=$(workers) || return
  sleep "$poll" # far above a heartbeat
  after=$(workers) || return
  leases=$(ask dynamodb scan --consistent-read --table-name "$(lease_table "$environment")" \
    --filter-expression 'attribute_not_exists(entityType) AND #c <> :end' \
    --expression-attribute-names '{"#c":"checkpoint"}' --expression-attribute-values '{":end":{"S":"SHARD_END"}}' \
    --query 'Items[].[leaseKey.S,leaseOwner.S]') || return
  [ -n "$leases" ] || { say "(no lease at all)" && return; }
  awk -v before="$before" -v after="$after" '
    function counters(text, into,   n, i, lines, fields) {
      n = split(text, lines, "\n")
      for (i = 1; i <= n; i++) if (split(lines[i], fields, /[ \t]+/) >= 2) into[fields[1]] = fields[2]
    }
    BEGIN { counters(before, old); counters(after, new) }
    NF && !($2 in new) { print $1 " (owner " $2 " is not there)"; next }
    NF && ($2 in old) && old[$2] == new[$2] { print $1 " (owner " $2 " sends no heartbeat)" }
  ' <<<"$leases"
}

workers() {
  ask dynamodb scan --consistent-read --table-name "$environment-workers" \
    --filter-expression '#s = :active' --expression-attribute-names '{"#s":"state"}' \
    --expression-attribute-values '{":active":{"S":"ACTIVE"}}' --query 'Items[].[workerId.S,counter.N]'
}

check_shards() {
  local missing deadline=$((SECONDS + wait))
  while missing=$(unheld) || give_up "the lease and worker tables cannot be read"; [ -n "$missing" ]; do
    [ "$SECONDS" -lt "$deadline" ] || give_up "shards without a reader: $missing"
    sleep "$poll"
  done
  say "every shard is held by a live worker"
}

# check_age: the age of the oldest unread record falls, or is small.
check_age() {
  local ages metric
  read -ra metric < <(in_unit "$environment/ecs" output -raw age_metric && echo) # its name, then its dimensions
  [ "${#metric[@]}" -gt 1 ] || give_up "the unit ecs has no output age_metric; deploy it"
  ages=$(ask cloudwatch get-metric-statistics --namespace AWS/Kinesis --metric-name "${metric[0]}" \
    --dimensions "${metric[@]:1}" --statistics Maximum --period 60 \
    --start-time "$(date -u -d '-10 minutes' +%FT%TZ 2>/dev/null || date -u -v-10M +%FT%TZ)" --end-time "$(date -u +%FT%TZ)" \
    --query 'sort_by(Datapoints,&Timestamp)[].Maximum') || give_up "the age of the oldest record cannot be read"
  awk -v ages="$ages" 'BEGIN {
    n = split(ages, a, /[ \t\n]+/)
    if (n == 0 || a[1] == "None") { print "no record has been read in the last ten minutes: nothing to judge the age by"; exit 0 }
    printf "oldest unread record: %.1f s", a[n] / 1000
    if (n > 1) printf " (%.1f s before)", a[1] / 1000
    print ""
    exit !(a[n] < 60000 || (n > 1 && a[n] < a[1]))
  }' || give_up "the readers fall behind"
}

need_terraform
need_aws
check_account "$environment"
step "roll-out"
wanted=$(in_unit "$environment/ecs" output -raw task_definition_arn)
wait_for_rollout "$wanted"
say "the service runs $wanted"
step "proof"
desired=$(ask ecs describe-services --cluster "$cluster" --services "$service" --query 'services[0].desiredCount')
if [ "$desired" = 0 ]; then
  say "the service is scaled to 0: nobody is to read, so there is nothing to prove"
  exit 0
fi
check_tasks
check_shards
check_age
