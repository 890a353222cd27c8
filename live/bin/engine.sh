# shellcheck shell=bash
# shellcheck disable=SC2154 # work and what lib.sh sets
# A Docker engine for images-test.sh where none runs. Sourced, never run; wants
# $work, a folder that goes when the script ends.

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

# available IMAGE: true when the engine has it or can pull it.
available() { docker image inspect "$1" >/dev/null 2>&1 || timeout 60 docker pull -q "$1" >/dev/null 2>&1; }

# import ROOTFS NAME FLAG...: an image of these files, with docker import's flags.
import() { tar -C "$1" -cf - . | docker import "${@:3}" - "$2" >/dev/null; }
