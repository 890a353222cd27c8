#!/bin/sh
# lint.sh MODULE...: every static check, all findings in one go. What a machine
# lacks (shellcheck, the vulnerability database) is skipped with a line that says so.
set -u
root=$(CDPATH="" cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root" || exit 1
export GOWORK=off
export GOLANGCI_LINT_CACHE=$root/bin/lint-cache # one of its own: findings are kept by content and name other trees
failed=0
fail() { echo "lint: $*" >&2; failed=1; }

golangci=$(tools/tool.sh golangci-lint) || exit 1
actionlint=$(tools/tool.sh actionlint) || exit 1

unformatted=$(gofmt -l "$@")
[ -z "$unformatted" ] || fail "gofmt would change: $unformatted"

# One run over the workspace: what the modules depend on, most of the work, is analyzed once;
# a third of that was collecting garbage.
printf './%s/...\n' "$@" | GOWORK=$root/go.work GOGC=400 xargs "$golangci" run --allow-parallel-runners || fail golangci-lint

for module in "$@"; do
  go -C "$module" mod tidy -diff || fail "go mod tidy would change $module"
done

# same PACKAGE MODULE...: the package is the producer's to the letter
same() {
  package=$1
  shift
  for module in "$@"; do
    for file in "producer/internal/$package"/*.go; do
      sed "s#/producer/#/$module/#" "$file" | cmp -s - "$module/internal/$package/$(basename "$file")" ||
        fail "$file and its copy in $module differ"
    done
  done
}
same settings consumer leasekeeper localaws
same logging consumer leasekeeper localaws
same awsclient consumer leasekeeper

"$actionlint" .github/workflows/*.yml || fail actionlint

tools/vulncheck.sh "$@" || fail govulncheck

if command -v shellcheck >/dev/null; then
  git ls-files -co --exclude-standard -- '*.sh' task .ci/run | xargs shellcheck --severity=warning || fail shellcheck
else
  echo "lint: SKIP shellcheck: not installed" >&2
fi
exit $failed
