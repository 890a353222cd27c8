#!/bin/sh
# test.sh "MODULE..." [go test flags]: tests each module on its own, all of them
# though one fails; skipped tests are listed with their reasons. Results are never
# taken from the cache: tests start sibling modules, whose changes Go cannot see.
set -eu
modules=$1
shift
root=$(CDPATH="" cd -- "$(dirname -- "$0")/.." && pwd)
gotestsum=$("$root/tools/tool.sh" gotestsum)
failed=
for module in $modules; do
  [ "$modules" = "$module" ] || echo "== $module"
  (cd "$root/$module" && GOWORK=off "$gotestsum" --format pkgname --format-hide-empty-pkg -- \
    -shuffle=on -count=1 -timeout 10m "$@" ./...) || failed="$failed $module"
done
[ -z "$failed" ] || { echo "test: failed in$failed" >&2; exit 1; }
