# shellcheck shell=sh
# mutants.sh, sourced by a module's own: breaks the module in one way at a time,
# in a copy, and checks that the test named beside it fails.

# begin MODULE [NAME ...]: of the mutants that follow, only those named count.
begin() {
  module=$1
  shift
  root=$(CDPATH="" cd -- "$(dirname -- "$0")/.." && pwd)
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  export GOWORK=off
  wanted="${*:-all}" caught=0 missed=""
  [ "$module" = localaws ] || ln -s "$root/localaws" "$work/localaws" # tests start it
}

# mutant NAME FILE 'SED SCRIPT' PACKAGE 'TEST THAT MUST FAIL'
mutant() {
  name=$1 file=$2 edit=$3 package=$4 tests=$5
  case " $wanted " in *" all "* | *" $name "*) ;; *) return 0 ;; esac
  rm -rf "${work:?}/$module"
  cp -r "$root/$module" "$work/$module"
  sed -i "$edit" "$work/$module/$file"
  if cmp -s "$work/$module/$file" "$root/$module/$file"; then
    echo "$name: the source has changed, the mutation does not apply" >&2
    exit 2
  fi
  if (cd "$work/$module" && go test -vet=off -count=1 -timeout 120s -run "$tests" "$package") >"$work/$name.log" 2>&1; then
    missed="$missed $name"
    echo "$name: NOT CAUGHT by $tests"
  elif grep -aq 'build failed' "$work/$name.log"; then
    echo "$name: the mutation does not compile: $(grep -am1 '^[a-z./]*\.go:' "$work/$name.log")" >&2
    exit 2
  else
    caught=$((caught + 1))
    echo "$name: caught: $(grep -a -m1 -E '_test.go:[0-9]+: |panic: |standard output' "$work/$name.log" | cut -c1-140)"
  fi
}

# conclude: how many were caught, and 1 where one was not.
conclude() {
  echo "$caught caught"
  [ -z "$missed" ] || { echo "not caught:$missed" >&2; exit 1; }
}
