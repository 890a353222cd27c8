#!/usr/bin/env bash
# verb.sh ENV BINARY VERB [ARGUMENT...]: runs a verb of consumer or leasekeeper
# once, as a task of its own with the service's settings, and shows what it
# said. Ends as the verb ended.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

environment=${1:-} binary=${2:-}
need_environment "$environment" verb
{ one_of "$binary" consumer leasekeeper && [ $# -ge 3 ]; } || usage "want a binary and its verb, as in: task verb ENV=$environment -- leasekeeper leases"
need_aws
need_terraform
check_account "$environment"
definition=$(verb_definition "$environment" "$binary")
run_once "$environment" "$definition" '{"containerOverrides":[{"name":"'"$binary"'-verb","command":['"$(strings "${@:3}")"']}]}' "$binary/$binary-verb" +1
exit "$code"
