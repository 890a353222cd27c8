#!/usr/bin/env bash
# images.sh build [BINARY...]        builds <binary>:dev for this machine
# images.sh push BINARY VERSION      builds tag BINARY/vVERSION for amd64 and arm64 and pushes it, unless it is there
# images.sh ready                    fails, and says why, when this machine cannot push
#
# A release is built from its tag, whatever the work tree holds. IMAGE_FLAGS are
# given on to docker build; IMAGE_LIMIT_MIB (15) is what an image may weigh.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

limit=$((${IMAGE_LIMIT_MIB:-15} * 1024 * 1024))

need_engine() {
  need docker "Docker builds the images, see https://docs.docker.com/engine/install"
  docker version --format '{{.Server.Version}}' >/dev/null 2>&1 || die "no Docker engine answers; start it"
}

# need_builder: stop unless the builder in use builds for two platforms at once.
# Docker's own driver does only where the engine keeps images in containerd.
need_builder() {
  local about name driver
  about=$(docker buildx inspect 2>&1) || die "docker buildx has no builder to use: $about; docker buildx create --use makes one"
  name=$(sed -n '/^Name: */{s///p;q;}' <<<"$about")
  driver=$(sed -n '/^Driver: */{s///p;q;}' <<<"$about")
  [ "$driver" = docker ] || return 0
  [[ $(docker info --format '{{json .DriverStatus}}' 2>/dev/null) == *io.containerd.snapshotter* ]] ||
    die "builder $name, of the driver $driver, builds for one platform only; docker buildx create --use makes one that builds for both"
}

ready_to_push() {
  need_engine
  docker buildx version >/dev/null 2>&1 || die "images for two architectures need docker buildx, see https://docs.docker.com/build/install-buildx"
  need_builder
  need_aws
}

# build_one BINARY: with buildx where there is one, else with the classic
# builder, which must be told the platform it runs on.
build_one() {
  local binary=$1 flags=()
  read -r -a flags <<<"${IMAGE_FLAGS:-}"
  flags+=(--tag "$binary:dev" --build-arg "REVISION=$(git -C "$root" rev-parse HEAD 2>/dev/null || echo unknown)")
  step "$binary:dev"
  if docker buildx version >/dev/null 2>&1; then
    docker buildx build --load "${flags[@]}" "$root/$binary"
  else
    DOCKER_BUILDKIT=0 docker build --build-arg "BUILDPLATFORM=$(docker version --format '{{.Server.Os}}/{{.Server.Arch}}')" \
      "${flags[@]}" "$root/$binary"
  fi
  size=$(docker image inspect --format '{{.Size}}' "$binary:dev")
  say "$binary:dev is $((size / 1024)) KiB"
  [ "$size" -le "$limit" ] || die "$binary:dev is larger than ${IMAGE_LIMIT_MIB:-15} MiB"
}

push_one() {
  local binary=$1 version=$2 tag=$1/v$2 source reference
  git -C "$root" rev-parse -q --verify "refs/tags/$tag" >/dev/null || die "no tag $tag; task release makes it"
  check_account _global
  if image_exists "$binary" "$version"; then
    say "$binary:$version is in the registry and stays as it is"
    return
  fi
  reference=$(registry_host)/$(repository "$binary"):$version
  call _global ecr get-login-password | docker login --username AWS --password-stdin "$(registry_host)"
  source=$(mktemp -d)
  # shellcheck disable=SC2064 # the folder's name now, not later
  trap "rm -rf '$source'" EXIT
  git -C "$root" archive "$tag" "$binary" | tar -C "$source" -xf -
  docker buildx build --push --platform linux/amd64,linux/arm64 --provenance=false --tag "$reference" \
    --build-arg "VERSION=$version" --build-arg "REVISION=$(git -C "$root" rev-parse "$tag^{commit}")" "$source/$binary"
  say "pushed $reference"
}

command=${1:-}
shift || true
case $command in
  build)
    need_engine
    for binary in "${@:-${binaries[@]}}"; do
      one_of "$binary" "${binaries[@]}" || usage "images: no binary $binary"
      build_one "$binary"
    done
    ;;
  push)
    if [ $# -ne 2 ] || ! one_of "$1" "${binaries[@]}"; then usage "images: want push BINARY VERSION"; fi
    ready_to_push
    push_one "$1" "$2"
    ;;
  ready) ready_to_push ;;
  *) usage "images: want build, push or ready" ;;
esac
