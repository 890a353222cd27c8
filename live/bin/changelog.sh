#!/usr/bin/env bash
# changelog.sh MODULE VERSION: gives what stands under [Unreleased] in the
# module's CHANGELOG.md that version and today's date, as release wants it.
# Changes nothing where the version is there already; commits nothing.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

module=${1:-} version=${2:-}
one_of "$module" "${binaries[@]}" || usage "MODULE: want producer, consumer or leasekeeper"
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || usage "VERSION: want three numbers, as in 1.2.0"
file=$root/$module/CHANGELOG.md
if grep -qF "## [$version] - " "$file"; then
  say "$module/CHANGELOG.md has $version already"
  exit 0
fi
grep -qxF '## [Unreleased]' "$file" || die "$module/CHANGELOG.md has no line ## [Unreleased]"
written=$(awk -v heading="## [$version] - $(date +%F)" '{ print } $0 == "## [Unreleased]" { print "\n" heading }' "$file")
printf '%s\n' "$written" >"$file"
say "$module/CHANGELOG.md: what was unreleased is $version; look at it and commit"
