#!/bin/sh
# vulncheck.sh MODULE...: govulncheck in each module, against the database at
# GOVULNDB, a URL or file:///…; by default Go's own. Known vulnerabilities in
# functions that are called are failures, those in others are not. Where the
# database cannot be reached the check is skipped, with a line that says so.
set -u
database=${GOVULNDB:-https://vuln.go.dev}
root=$(CDPATH="" cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root" || exit 1
case $database in
  http://* | https://*)
    curl -sfLm 10 -o /dev/null "$database/index/db.json.gz" || {
      echo "vulncheck: SKIP govulncheck: no database can be reached at $database (GOVULNDB names another)" >&2
      exit 0
    }
    ;;
  file://*) # govulncheck finds nothing in a folder of anything else, and says that all is well
    [ -f "${database#file://}/index/modules.json" ] || {
      echo "vulncheck: ${database#file://} is no vulnerability database: no index/modules.json" >&2
      exit 1
    }
    ;;
esac
govulncheck=$(tools/tool.sh govulncheck) || exit 1
failed=0
for module in "$@"; do
  GOWORK=off "$govulncheck" -db "$database" -C "$module" ./... || { echo "vulncheck: govulncheck in $module" >&2; failed=1; }
done
exit $failed
