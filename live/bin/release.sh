#!/usr/bin/env bash
# release.sh MODULE VERSION [--dry]: releases one binary: checks, tag
# MODULE/vVERSION, image MODULE:VERSION. Run again after a failure, it goes on
# where it stopped; it never moves a tag and never overwrites an image.
# --dry checks everything and neither tags nor pushes.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

module=${1:-} version=${2:-} dry=${3:-}
one_of "$module" "${binaries[@]}" || usage "MODULE: want producer, consumer or leasekeeper"
[[ $version =~ ^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)$ ]] || usage "VERSION: want three numbers, as in 1.2.0"
one_of "$dry" '' --dry || usage "release: no option $dry; want --dry"
tag=$module/v$version
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
repo() { git -C "$root" "$@"; }

# notes: this version's section of the changelog, without its heading.
notes() {
  awk -v version="$version" '
    index($0, "## [" version "]") == 1 { found = 1; next }
    found && /^## / { exit }
    found && !/^\[/ { print }
  ' "$root/$module/CHANGELOG.md"
}

check_tree() {
  step "tree"
  [ -z "$(repo status --porcelain)" ] || die "the tree is not clean: commit or discard first, so that the tag is what you tested"
  say "clean at $(repo rev-parse --short HEAD)"
}

check_order() {
  step "version"
  local last
  last=$(repo tag --list "$module/v*" | sed "s|^$module/v||" | { grep -Fxv "$version" || true; } | sort -V | tail -n 1)
  if [ -n "$last" ] && [ "$(printf '%s\n%s\n' "$last" "$version" | sort -V | tail -n 1)" = "$last" ]; then
    die "$module $version is not above $last, the newest release"
  fi
  if repo rev-parse -q --verify "refs/tags/$tag" >/dev/null && [ "$(repo rev-parse "$tag^{commit}")" != "$(repo rev-parse HEAD)" ]; then
    die "tag $tag is there, on another commit; releases never move: take the next version"
  fi
  say "$module ${last:-(none)} -> $version"
}

check_changelog() {
  step "changelog"
  grep -qE "^## \[${version//./\\.}\] - [0-9]{4}-[0-9]{2}-[0-9]{2}$" "$root/$module/CHANGELOG.md" ||
    die "$module/CHANGELOG.md has no line ## [$version] - $(date +%F): task changelog MODULE=$module VERSION=$version writes it; look at it and commit"
  notes >"$work/notes"
  grep -q '[^[:space:]]' "$work/notes" || die "$module/CHANGELOG.md says nothing about $version"
  cat "$work/notes"
}

check_module() {
  step "tests"
  (
    cd "$root/$module"
    export GOWORK=off
    go mod tidy -diff
    go vet ./...
    go test ./...
    go build -trimpath -ldflags "-X main.version=$version" -o "$work/$module" .
  )
  case $("$work/$module" version) in
    *"$version"*) say "the binary says it is $version" ;;
    *) die "the built binary does not say it is $version" ;;
  esac
}

publish() {
  step "publish"
  check_account _global
  if repo rev-parse -q --verify "refs/tags/$tag" >/dev/null; then
    say "tag $tag is there already"
  else
    { echo "$module $version" && echo && cat "$work/notes"; } >"$work/message"
    repo tag --annotate "$tag" --file "$work/message" --cleanup=verbatim
  fi
  "$root/live/bin/images.sh" push "$module" "$version"
  repo push origin "refs/tags/$tag" || die "the image is pushed, the tag is not: git push origin $tag"
}

check_tree
check_order
check_changelog
check_module
if [ "$dry" = --dry ]; then
  say "release $module $version: dry run passed; nothing was tagged or pushed"
  exit 0
fi
"$root/live/bin/images.sh" ready # before the tag, which never moves
publish
say "released $module $version; deploy it: put it into live/staging/env.hcl, then task deploy ENV=staging"
