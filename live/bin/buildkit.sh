# shellcheck shell=bash
# shellcheck disable=SC2154 # work and what lib.sh sets
# A BuildKit and a registry of our own for images-platforms.sh. Sourced, never
# run; wants $work, a folder that goes when the script ends, and $host, the name
# of the registry that images are pushed to.

daemons=()

# lacks_for_buildkit: what this machine lacks, in words; nothing when it has all.
lacks_for_buildkit() {
  local tool
  [ "$(uname -s)/$(id -u)" = Linux/0 ] || say "BuildKit wants Linux and root"
  for tool in docker runc docker-registry git curl "$(qemu)"; do
    command -v "$tool" >/dev/null 2>&1 || say "$tool is not on the PATH (Debian: docker.io runc docker-registry qemu-user-static)"
  done
}

# qemu: the emulator that runs binaries of the other architecture.
qemu() { case $(uname -m) in x86_64) echo qemu-aarch64-static ;; *) echo qemu-x86_64-static ;; esac }

# start_buildkit: a registry on $registry, 127.0.0.1 and a free port, and a
# BuildKit that docker buildx uses. Both keep everything in $work. The registry
# stands behind every name: as a mirror of those that base images come from, and
# as the proxy on the way to $host, which takes its path and ignores its name.
start_buildkit() {
  local buildx buildkitd mirrored
  buildx=$("$root/tools/tool.sh" buildx)
  buildkitd=$("$root/tools/tool.sh" buildkitd)
  start_registry
  {
    printf '[worker.containerd]\nenabled = false\n[registry."%s"]\nhttp = true\n[registry."%s"]\nhttp = true\n' "$host" "$registry"
    for mirrored in docker.io gcr.io; do printf '[registry."%s"]\nmirrors = ["%s"]\n' "$mirrored" "$registry"; done
  } >"$work/buildkitd.toml"
  env -u NO_PROXY -u no_proxy -u http_proxy HTTP_PROXY="http://$registry" "$buildkitd" --config "$work/buildkitd.toml" \
    --root "$work/buildkit" --addr "unix://$work/buildkitd.sock" >"$work/buildkitd.log" 2>&1 &
  daemons+=($!)
  export DOCKER_CONFIG=$work/config
  mkdir -p "$DOCKER_CONFIG/cli-plugins"
  ln -s "$buildx" "$DOCKER_CONFIG/cli-plugins/docker-buildx"
  await "$work/buildkitd.log" '.*\(running server\).*' >/dev/null
  docker buildx create --name platforms --driver remote --use "unix://$work/buildkitd.sock" >/dev/null
}

start_registry() {
  printf 'version: 0.1\nlog: {level: info}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: "127.0.0.1:0"}\n' "$work/registry" >"$work/registry.yml"
  docker-registry serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
  daemons+=($!)
  registry=$(await "$work/registry.log" '.*listening on \(127\.0\.0\.1:[0-9]*\).*')
}

# await LOG PATTERN: what \(…\) of PATTERN is in the first line of LOG that
# matches, once there is one; it fails after 20 s.
await() {
  local found
  for _ in $(seq 100); do
    found=$(sed -n "s/$2/\1/p" "$1" | head -n 1)
    [ -z "$found" ] || { say "$found" && return; }
    sleep 0.2
  done
  tail -n 20 "$1" >&2
  die "${1##*/}: nothing matches $2 after 20 s"
}

stop_buildkit() {
  [ "${#daemons[@]}" = 0 ] || { kill "${daemons[@]}" && wait "${daemons[@]}"; } 2>/dev/null || true
  daemons=()
}

# available IMAGE: true when it can be pulled, or was imported.
available() { timeout 60 docker buildx imagetools inspect "$1" >/dev/null 2>&1; }

# import ROOTFS NAME --change LINE...: an image of these files in the mirror, as
# an index (which attestations, on by default, make of one platform too). What
# has programs is for this machine alone, so that a build stage that runs where
# it should not finds no image; the rest is for both.
import() {
  local rootfs=$1 name=$2 platforms=linux/amd64,linux/arm64
  shift 2
  [ ! -e "$rootfs/bin" ] || platforms=linux/$(go env GOARCH)
  case $name in
    *.*/*) name=${name#*/} ;;
    *) name=library/$name ;;
  esac
  {
    printf 'FROM scratch\nCOPY . /\n'
    while [ $# -gt 0 ]; do say "$2" && shift 2; done
  } >"$work/Dockerfile"
  docker buildx build --progress=plain --platform "$platforms" --file "$work/Dockerfile" \
    --output "type=image,name=$registry/$name,push=true,compression=uncompressed" "$rootfs" >"$work/import.log" 2>&1 ||
    { tail -n 20 "$work/import.log" && die "$name: no stand-in"; }
}
