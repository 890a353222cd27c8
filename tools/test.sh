#!/bin/sh
# test.sh MODULE [go test flags]: tests one module on its own; skipped tests
# are listed with their reasons.
set -eu
module=$1
shift
root=$(CDPATH="" cd -- "$(dirname -- "$0")/.." && pwd)
gotestsum=$("$root/tools/tool.sh" gotestsum)
cd "$root/$module"
GOWORK=off exec "$gotestsum" --format pkgname --format-hide-empty-pkg -- \
  -shuffle=on -timeout 10m "$@" ./...
