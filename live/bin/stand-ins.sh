# shellcheck shell=bash
# shellcheck disable=SC2154 # work and what lib.sh sets
# Stand-ins for base images that cannot be pulled. Sourced, never run; wants
# $work, a folder that goes when the script ends, and two functions:
# available IMAGE says whether it can be had, import ROOTFS IMAGE FLAG... makes
# it of files, with the flags of docker import.

# base_images GOARCH...: what the Dockerfiles begin with, or stand-ins of the
# same names from what is on this machine, to build for these architectures.
base_images() {
  local image
  for image in "$(base_of build)" "$(base_of final)"; do
    available "$image" && continue
    say "$image cannot be pulled here: a stand-in of that name is made from this machine"
    case $image in
      golang:*) golang_stand_in "$image" "$@" ;;
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

# golang_stand_in NAME GOARCH...: this machine's Go and shell, and the modules
# the binaries need as a module proxy of files, so that the build needs no network.
golang_stand_in() {
  local name=$1 rootfs=$work/golang binary library architecture
  local cache=${IMAGES_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/terraform-ecs-kinesis/images}
  shift
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
  for architecture in "$@"; do
    for binary in "${binaries[@]}"; do compile_dependencies "$architecture" "$binary"; done
  done
  cp -a "$cache" "$rootfs/gocache"
  import "$rootfs" "$name" --change 'ENV PATH=/usr/local/go/bin:/bin' --change 'ENV GOPROXY=file:///goproxy' \
    --change 'ENV GOSUMDB=off' --change 'ENV GOTOOLCHAIN=local' --change 'ENV HOME=/root' --change 'ENV GOCACHE=/gocache'
  rm -rf "$rootfs" "$work/modules"
  export IMAGE_FLAGS="${IMAGE_FLAGS:-} --network=none"
}

# compile_dependencies GOARCH BINARY: what is not of the module itself, into
# $cache, which outlives the run: else each of three builds compiles it, each
# time. Go removes what was not used for five days.
compile_dependencies() {
  (
    export GOWORK=off GOFLAGS=-modcacherw GOMODCACHE=$work/modules GOSUMDB=off GOPROXY=off GOARCH=$1 CGO_ENABLED=0 GOCACHE=$cache
    cd "$root/$2" || exit
    go list -deps -f '{{if not (and .Module .Module.Main)}}{{.ImportPath}}{{end}}' . | xargs go build -trimpath -buildvcs=false
  )
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
