#!/usr/bin/env bash
# images-test.sh: builds the images as their Dockerfiles say and runs them as one
# ECS task would: consumer and leasekeeper in one network namespace with nothing
# but a loopback, read-only, without user or capabilities, against localaws.
# Stops them while messages flow and counts what is stored in the end.
#
# Where no Docker engine can be had the test is skipped, and says so;
# INFRA_REQUIRE=1 makes that a failure. Where base images cannot be pulled,
# what the binaries depend on is compiled once and kept in IMAGES_CACHE, by
# default in the user's cache folder.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/engine.sh"
. "$(dirname "$0")/stand-ins.sh"

messages=6000 rate=600 version=9.8.7
work=$(mktemp -d)
started=()

clean_up() {
  [ "${#started[@]}" = 0 ] || docker rm -f "${started[@]}" >/dev/null 2>&1 || true
  stop_engine
  rm -rf "$work" 2>/dev/null || true
}
trap clean_up EXIT

show_logs() {
  local container
  for container in "${started[@]}"; do
    say "-- $container" >&2
    docker logs --tail 15 "$container" >&2 || true
  done
}
fail() {
  show_logs
  die "$*"
}

# start NAME IMAGE ARGUMENT...: a container hardened as the task definition has
# it, in localaws's network namespace, with a client name of its own.
start() {
  local name=$1 image=$2
  shift 2
  docker run --detach --name "$name" --network "container:$task" --read-only --cap-drop ALL --security-opt no-new-privileges \
    --env AWS_ENDPOINT_URL=http://127.0.0.1:4566 --env AWS_REGION=eu-west-1 \
    --env "AWS_ACCESS_KEY_ID=$name" --env AWS_SECRET_ACCESS_KEY=secret "$@" "$image" >/dev/null
  started+=("$name")
}

check() { docker run --rm --network "container:$task" --env AWS_ENDPOINT_URL=http://127.0.0.1:4566 imagecheck:dev "$@"; }

await_healthy() {
  local name=$1
  for _ in $(seq 120); do
    case $(docker inspect --format '{{.State.Status}} {{.State.Health.Status}}' "$name") in
      "running healthy") return 0 ;;
      exited*) fail "$name ended before it was healthy" ;;
    esac
    sleep 0.5
  done
  fail "$name is not healthy after a minute"
}

# stop NAME SECONDS: SIGTERM, as ECS does; it must exit with 0 within its time.
stop() {
  local name=$1 limit=$2 began=$SECONDS code
  docker stop --time "$limit" "$name" >/dev/null
  code=$(docker inspect --format '{{.State.ExitCode}}' "$name")
  [ "$code" = 0 ] || fail "$name ended with exit code $code on SIGTERM"
  say "$name stopped in $((SECONDS - began)) s, exit code 0"
  [ $((SECONDS - began)) -lt "$limit" ] || fail "$name took all of its $limit s"
}

# helper IMAGE BINARY: an image of one static binary, for the test alone.
helper() {
  local folder=$work/$1
  mkdir -p "$folder/tmp"
  cp "$2" "$folder/main"
  import "$folder" "$1:dev" --change 'ENTRYPOINT ["/main"]'
  rm -rf "$folder"
}

check_image() {
  local binary=$1 config
  config=$(docker image inspect --format '{{.Config.User}}|{{json .Config.Entrypoint}}|{{index .Config.Labels "org.opencontainers.image.version"}}|{{index .Config.Labels "org.opencontainers.image.revision"}}' "$binary:dev")
  case $config in
    '65532:65532|["/'"$binary"'"]|'"$version"'|'?*) ;;
    *) die "$binary: user, entrypoint, version or revision are not as they should be: $config" ;;
  esac
  case $(docker run --rm --network none --read-only "$binary:dev" version) in
    *"$version"*) say "$binary: version $version, user 65532, labels" ;;
    *) die "$binary does not say its version" ;;
  esac
}

step "engine"
if ! find_engine; then
  [ -z "${INFRA_REQUIRE:-}" ] || die "no Docker engine can be had, and INFRA_REQUIRE is set"
  say "SKIP: no Docker engine can be had here: the images were neither built nor run"
  exit 0
fi
base_images "$(go env GOARCH)"

export IMAGE_FLAGS="${IMAGE_FLAGS:-} --build-arg VERSION=$version"
"$root/live/bin/images.sh" build >"$work/build.log" 2>&1 || { tail -n 30 "$work/build.log" && die "the images do not build"; }
step "images"
grep ' is [0-9]* KiB' "$work/build.log"
for binary in "${binaries[@]}"; do check_image "$binary"; done

step "task"
for pair in localaws:. e2e:./infra/imagecheck; do
  (cd "$root/${pair%%:*}" && GOWORK=off CGO_ENABLED=0 go build -o "$work/${pair%%:*}.bin" "${pair#*:}")
done
helper localaws "$work/localaws.bin"
helper imagecheck "$work/e2e.bin"
task=localaws-$$
docker run --detach --name "$task" --network none --env LOCALAWS_LISTEN=127.0.0.1:4566 localaws:dev >/dev/null
started+=("$task")
check create 3
for life in 1 2; do
  start "leasekeeper-$life" leasekeeper:dev
  await_healthy "leasekeeper-$life"
  start "consumer-$life" consumer:dev
  await_healthy "consumer-$life"
  say "life $life: both healthy"
  if [ "$life" = 1 ]; then
    start producer producer:dev --env "PRODUCER_COUNT=$messages" --env "PRODUCER_RATE=$rate" --env PRODUCER_PROGRESS=log
    sleep 3 # messages flow
  else
    [ "$(docker wait producer)" = 0 ] || fail "the producer lost something"
    check await "$messages" || fail "not every message is stored"
  fi
  stop "consumer-$life" 30
  stop "leasekeeper-$life" 35
done
say "infra:images-test: passed in $SECONDS s"
