#!/usr/bin/env bash
# replay.sh ENV FROM [UNTIL [SHARDS]], or ENV "" "" "" FILE: runs `consumer
# replay` once as a task of its own and waits for its account. FILE has the
# summary that a replay which was stopped has printed. A sixth argument is the
# table that messages go to instead of the environment's.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

environment=${1:-} from=${2:-} until=${3:-} shards=${4:-} resume=${5:-} table=${6:-} environ=
need_environment "$environment" replay
time='^[A-Za-z0-9_:.+-]+$'
if [ -n "$resume" ]; then
  [ -z "$from$until$shards" ] || usage "RESUME goes without FROM, UNTIL and SHARD: they are in the summary"
  summary=$(grep -o '{"stream".*}' "$resume" | tail -n 1) || die "$resume has no summary of a replay"
  [ "${#summary}" -lt 7000 ] || die "the summary is larger than a task's command may be; go on with FROM, from the time the log shows"
  command=(--resume "$summary")
else
  [[ $from =~ $time ]] || usage "FROM: want TRIM_HORIZON, a time such as 2026-11-23T12:00:00Z, or how long ago, such as 2h"
  [[ -z $until || $until =~ $time ]] || usage "UNTIL: want now, a time such as 2026-11-23T12:00:00Z, or how long ago, such as 2h"
  [[ -z $shards || $shards =~ ^shardId-[0-9]+(,shardId-[0-9]+)*$ ]] || usage "SHARD: want shard ids, separated by commas"
  command=(--from "$from" ${until:+--until "$until"})
  for shard in ${shards//,/ }; do command+=(--shard "$shard"); done
fi
if [ -n "$table" ]; then
  [[ $table =~ ^[A-Za-z0-9_.-]{3,255}$ ]] || usage "TABLE: want the name of a DynamoDB table"
  environ=',"environment":[{"name":"CONSUMER_MESSAGES_TABLE","value":"'$table'"}]'
fi
need_aws
need_terraform
check_account "$environment"
definition=$(verb_definition "$environment" consumer)
say "Its reads count as the stream's: until it ends an alarm on the age of polled records may ring, and a service that polls grow."
run_once "$environment" "$definition" '{"containerOverrides":[{"name":"consumer-verb","command":['"$(strings replay --json "${command[@]}")]$environ"'}]}' consumer/consumer-verb
case $code in
  0) ;;
  2) die "the replay's settings are refused: see the lines above" ;;
  *) die "the replay ended before its end, with exit code $code: see the lines above. To go on, put the line that begins with {\"stream\" into a file, if there is one, and: task replay ENV=$environment RESUME=file" ;;
esac
