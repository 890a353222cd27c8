# shellcheck shell=bash
# shellcheck disable=SC2154 # work and what lib.sh sets
# A Docker engine for images-test.sh where none runs, and stand-ins for base
# images that cannot be pulled. Sourced, never run; wants $work, a folder that
# goes when the script ends.

# find_engine: true when docker answers in the end. Root on Debian is enough:
# the engine is installed and started without touching the machine's network.
find_engine() {
  command -v docker >/dev/null 2>&1 && docker info >/dev/null 2>&1 && return 0
  [ "$(id -u)" = 0 ] || return 1
  if ! command -v dockerd >/dev/null 2>&1; then
    command -v apt-get >/dev/null 2>&1 || return 1
    say "installing docker.io"
    { apt-get update && apt-get install -y --no-install-recommends docker.io; } >"$work/apt.log" 2>&1 || return 1
  fi
  start_engine overlay2 || start_engine vfs
}

start_engine() {
  export DOCKER_HOST=unix://$work/docker.sock
  say "starting a Docker engine of our own ($1)"
  dockerd --host "$DOCKER_HOST" --data-root "$work/docker" --exec-root "$work/exec" --pidfile "$work/docker.pid" \
    --storage-driver "$1" --iptables=false --bridge=none >"$work/dockerd.log" 2>&1 &
  engine=$!
  for _ in $(seq 100); do
    docker info >/dev/null 2>&1 && return 0
    kill -0 "$engine" 2>/dev/null || break
    sleep 0.2
  done
  stop_engine
  return 1
}

stop_engine() {
  [ -n "${engine:-}" ] || return 0
  kill "$engine" 2>/dev/null || true
  wait "$engine" 2>/dev/null || true
  engine=
}

# base_images: pulls what the Dockerfiles begin with, or makes stand-ins of the
# same names from what is on this machine.
base_images() {
  local image
  for image in "$(base_of build)" "$(base_of final)"; do
    docker image inspect "$image" >/dev/null 2>&1 && continue
    timeout 60 docker pull -q "$image" >/dev/null 2>&1 && continue
    say "$image cannot be pulled here: a stand-in of that name is made from this machine"
    case $image in
      golang:*) golang_stand_in "$image" ;;
      *) static_stand_in "$image" ;;
    esac
  done
}

base_of() {
  case $1 in
    build) sed -n 's/^FROM --platform=[^ ]* \([^ ]*\) AS build$/\1/p' "$root/consumer/Dockerfile" ;;
    final) sed -n 's/^FROM \([^ ]*\)$/\1/p' "$root/consumer/Dockerfile" ;;
  esac
}

import() { tar -C "$1" -cf - . | docker import "${@:3}" - "$2" >/dev/null; }

# golang_stand_in NAME: this machine's Go and shell, and the modules the
# binaries need as a module proxy of files, so that the build needs no network.
golang_stand_in() {
  local rootfs=$work/golang binary library
  mkdir -p "$rootfs"/{bin,usr/local,usr/bin,tmp,root,goproxy,etc/ssl/certs}
  cp -aL "$(go env GOROOT)" "$rootfs/usr/local/go"
  cp "$(command -v dash || command -v sh)" "$rootfs/bin/sh"
  for library in $(ldd "$rootfs/bin/sh" "$(go env GOROOT)/bin/go" 2>/dev/null | grep -o '/[^ )]*\.so[^ )]*' | sort -u); do
    mkdir -p "$rootfs${library%/*}"
    cp -L "$library" "$rootfs$library"
  done
  for binary in "${binaries[@]}"; do
    (cd "$root/$binary" && GOWORK=off GOFLAGS=-modcacherw GOMODCACHE=$work/modules GOSUMDB=off \
      GOPROXY="file://$(go env GOMODCACHE)/cache/download,$(go env GOPROXY)" go mod download)
  done
  cp -a "$work/modules/cache/download/." "$rootfs/goproxy"
  # Compiled once for all three, instead of in each of three empty caches.
  for binary in "${binaries[@]}"; do
    (cd "$root/$binary" && GOWORK=off GOFLAGS=-modcacherw GOMODCACHE=$work/modules GOSUMDB=off GOPROXY=off \
      CGO_ENABLED=0 GOCACHE=$rootfs/gocache go build -trimpath -buildvcs=false -o /dev/null .)
  done
  import "$rootfs" "$1" --change 'ENV PATH=/usr/local/go/bin:/bin' --change 'ENV GOPROXY=file:///goproxy' \
    --change 'ENV GOSUMDB=off' --change 'ENV GOTOOLCHAIN=local' --change 'ENV HOME=/root' --change 'ENV GOCACHE=/gocache'
  rm -rf "$rootfs" "$work/modules"
  export IMAGE_FLAGS="${IMAGE_FLAGS:-} --network=none"
}

# static_stand_in NAME: what distroless/static holds that a static binary needs.
static_stand_in() {
  local rootfs=$work/static
  mkdir -p "$rootfs"/{etc/ssl/certs,tmp,home/nonroot}
  chmod 1777 "$rootfs/tmp"
  cp /etc/ssl/certs/ca-certificates.crt "$rootfs/etc/ssl/certs/"
  printf 'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n' >"$rootfs/etc/passwd"
  printf 'root:x:0:\nnonroot:x:65532:\n' >"$rootfs/etc/group"
  import "$rootfs" "$1" --change 'USER 65532'
}
