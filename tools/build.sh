#!/bin/sh
# build.sh MODULE DIR VERSION: builds one module's binary (of e2e, all of its
# commands) statically into DIR.
set -eu
module=$1 dir=$2 version=$3
root=$(CDPATH="" cd -- "$(dirname -- "$0")/.." && pwd)
mkdir -p "$dir"
packages=.
if [ "$module" = e2e ]; then packages=./cmd/...; fi
GOWORK=off CGO_ENABLED=0 go build -C "$root/$module" -trimpath \
  -ldflags "-s -w -X main.version=$version" -o "$dir/" "$packages"
