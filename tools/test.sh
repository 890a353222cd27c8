#!/bin/sh
# test.sh MODULE [go test flags]: tests one module on its own; skipped tests
# are listed with their reasons. Results are never taken from the cache: tests
# start sibling modules, whose changes Go cannot see.
set -eu
module=$1
shift
root=$(CDPATH="" cd -- "$(dirname -- "$0")/.." && pwd)
gotestsum=$("$root/tools/tool.sh" gotestsum)
cd "$root/$module"
GOWORK=off exec "$gotestsum" --format pkgname --format-hide-empty-pkg -- \
  -shuffle=on -count=1 -timeout 10m "$@" ./...
