#!/bin/sh
# Runs the conformance suite against localaws and then against servers that
# others wrote, each on a free port, from a temporary folder:
#
#   conformance/run.sh [localaws] [kinesis-local] [dynalite] [dynamodb-local]
#
# By default against all.
#
# A server whose runtime or package is not to be had is skipped with a line that
# begins with SKIP; CONFORMANCE_REQUIRE=1 makes that a failure.
set -eu

here=$(CDPATH="" cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d)
server_pid=
failed=0
export GOWORK=off

stop_server() {
  if [ -n "$server_pid" ]; then
    kill "$server_pid" 2>/dev/null || true
    wait "$server_pid" 2>/dev/null || true
    server_pid=
  fi
}

cleanup() {
  stop_server
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

skip() { # name reason
  echo "SKIP $1: $2"
  if [ "${CONFORMANCE_REQUIRE:-}" = 1 ]; then failed=1; fi
}

free_port() { (cd "$here" && go run ./freeport); }

# wait_port waits until something listens: wait_port PORT SECONDS
wait_port() {
  (cd "$here" && go run ./freeport "$1" "$2")
}

suite() { # name pattern [VARIABLE=value …]
  name=$1 pattern=$2
  shift 2
  echo "== conformance: $name"
  if ! (cd "$here" && env CONFORMANCE_SERVER="$name" "$@" go test -count=1 -timeout 10m -run "$pattern" ${CONFORMANCE_FLAGS:-} .); then
    failed=1
  fi
}

# Tests of DynamoDB begin with TestDynamoDB, all others are of Kinesis.
kinesis_tests='^Test([^D]|D[^y])'

run_localaws() { suite localaws .; }

run_kinesis_local() {
  if ! command -v npm >/dev/null 2>&1; then
    skip kinesis-local "npm is not installed"
    return
  fi
  dir=$work/kinesis-local
  mkdir -p "$dir"
  if ! (cd "$dir" && npm install --silent --no-audit --no-fund --prefix . kinesis-local@0.6.2 >install.log 2>&1); then
    skip kinesis-local "npm cannot install it: $(tail -n 1 "$dir/install.log")"
    return
  fi
  port=$(free_port)
  tls=$(free_port)
  (
    cd "$dir"
    exec env KINESIS_MOCK_CERT_PATH=node_modules/kinesis-local/server.json \
      KINESIS_MOCK_PLAIN_PORT="$port" KINESIS_MOCK_TLS_PORT="$tls" SHARD_LIMIT=1000 LOG_LEVEL=ERROR \
      CREATE_STREAM_DURATION=10ms DELETE_STREAM_DURATION=10ms REGISTER_STREAM_CONSUMER_DURATION=10ms \
      DEREGISTER_STREAM_CONSUMER_DURATION=10ms SPLIT_SHARD_DURATION=10ms MERGE_SHARDS_DURATION=10ms \
      UPDATE_SHARD_COUNT_DURATION=10ms \
      node node_modules/kinesis-local/main.js >server.log 2>&1
  ) &
  server_pid=$!
  if ! wait_port "$port" 60; then
    echo "kinesis-local does not start:"
    tail -n 20 "$dir/server.log"
    failed=1
    stop_server
    return
  fi
  suite kinesis-local "$kinesis_tests" CONFORMANCE_KINESIS_ENDPOINT="http://127.0.0.1:$port"
  if ! (cd "$here/../../consumer" && CONSUMER_TEST_KINESIS="http://127.0.0.1:$port" go test -count=1 -run TestSource_SameInBoth ./internal/kinesis); then
    failed=1
  fi
  stop_server
}

dynamodb_tests='^TestDynamoDB_'

run_dynalite() {
  if ! command -v npm >/dev/null 2>&1; then
    skip dynalite "npm is not installed"
    return
  fi
  dir=$work/dynalite
  mkdir -p "$dir"
  if ! (cd "$dir" && npm install --silent --no-audit --no-fund --prefix . dynalite@4.0.0 >install.log 2>&1); then
    skip dynalite "npm cannot install it: $(tail -n 1 "$dir/install.log")"
    return
  fi
  port=$(free_port)
  (
    cd "$dir"
    exec node node_modules/dynalite/cli.js --port "$port" --host 127.0.0.1 --createTableMs 5 --deleteTableMs 5 --updateTableMs 5 >server.log 2>&1
  ) &
  server_pid=$!
  serve_dynamodb dynalite
}

# DynamoDB Local comes with some eighty other jars; they are kept in
# CONFORMANCE_CACHE, by default in the user's cache folder.
run_dynamodb_local() {
  if ! command -v mvn >/dev/null 2>&1 || ! command -v java >/dev/null 2>&1; then
    skip dynamodb-local "it needs java 17 and mvn"
    return
  fi
  version=3.1.0
  jars=${CONFORMANCE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/localaws-conformance}/dynamodb-local-$version
  dir=$work/dynamodb-local
  mkdir -p "$dir"
  if [ ! -e "$jars/complete" ]; then
    mkdir -p "$jars"
    cat >"$dir/pom.xml" <<EOF
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>conformance</groupId><artifactId>dynamodb-local</artifactId><version>1</version>
  <dependencies><dependency>
    <groupId>software.amazon.dynamodb</groupId><artifactId>DynamoDBLocal</artifactId><version>$version</version>
  </dependency></dependencies>
</project>
EOF
    if ! (cd "$dir" && mvn -B -q dependency:copy-dependencies -DoutputDirectory="$jars" >install.log 2>&1); then
      skip dynamodb-local "mvn cannot fetch it: $(grep -m 1 ERROR "$dir/install.log")"
      return
    fi
    : >"$jars/complete"
  fi
  port=$(free_port)
  (
    cd "$dir"
    exec java -Djava.library.path="$jars" -cp "$jars/*" software.amazon.dynamodb.services.local.main.ServerRunner \
      -inMemory -sharedDb -disableTelemetry -port "$port" >server.log 2>&1
  ) &
  server_pid=$!
  serve_dynamodb dynamodb-local
}

# serve_dynamodb runs the tests against the server that was just started.
serve_dynamodb() { # name
  if ! wait_port "$port" 60; then
    echo "$1 does not start:"
    tail -n 20 "$dir/server.log"
    failed=1
  else
    suite "$1" "$dynamodb_tests" CONFORMANCE_DYNAMODB_ENDPOINT="http://127.0.0.1:$port"
  fi
  stop_server
}

if [ $# -eq 0 ]; then
  set -- localaws kinesis-local dynalite dynamodb-local
fi
for server in "$@"; do
  case $server in
    localaws) run_localaws ;;
    kinesis-local) run_kinesis_local ;;
    dynalite) run_dynalite ;;
    dynamodb-local) run_dynamodb_local ;;
    *)
      echo "run.sh: no such server: $server" >&2
      exit 2
      ;;
  esac
done
exit $failed
