#!/bin/sh
# mutants.sh [NAME ...]: breaks a binary on purpose, one way at a time, and checks
# that the tests here notice. The sources are copied first and stay as they are.
set -eu

root=$(CDPATH="" cd -- "$(dirname -- "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GOWORK=off
caught=0 missed=""

# mutant NAME MODULE FILE 'SED SCRIPT' 'TESTS THAT MUST FAIL'
mutant() {
  name=$1 module=$2 file=$3 edit=$4 tests=$5
  case " $wanted " in *" all "* | *" $name "*) ;; *) return 0 ;; esac
  rm -rf "${work:?}/src" "${work:?}/bin"
  cp -r "$root/$module" "$work/src"
  cp -r "$work/sound" "$work/bin"
  sed -i "$edit" "$work/src/$file"
  if cmp -s "$work/src/$file" "$root/$module/$file"; then
    echo "$name: the source has changed, the mutation does not apply" >&2
    exit 2
  fi
  go build -C "$work/src" -o "$work/bin/$module" .
  if (cd "$root/e2e" && E2E_BIN="$work/bin" go test -count=1 -run "$tests" ./tests/ >"$work/$name.log" 2>&1); then
    missed="$missed $name"
    echo "$name: NOT CAUGHT by $tests"
  else
    caught=$((caught + 1))
    echo "$name: caught: $(grep -m1 -E '_test.go:[0-9]+: .*(got|read by|wait)' "$work/$name.log" | cut -c1-160)"
  fi
}

wanted="${*:-all}"
mkdir -p "$work/sound"
for module in localaws producer consumer leasekeeper; do
  go build -C "$root/$module" -o "$work/sound/$module" .
done

mutant checkpoint-ahead consumer internal/watermark/watermark.go \
  's|^\tn := t.next$|\tn := t.next; t.mark = p; t.version++|' 'TestKill_Anything'
mutant random-ids consumer internal/store/item.go \
  's|strconv.AppendInt(b, m.SubSequence, 10)|strconv.AppendInt(b, time.Now().UnixNano(), 10)|' 'TestKill_Anything'
mutant neighbours-payload consumer internal/store/item.go \
  's|^\tb = appendPayload(b, m.Data)$|\tdata := neighbour; neighbour = append([]byte(nil), m.Data...); if data == nil { data = m.Data }; b = appendPayload(b, data)|; $a var neighbour []byte' 'TestLife$'
mutant grants-never-end consumer internal/grants/answer.go \
  's|time.Duration(answer.TTLMS) . time.Millisecond|time.Duration(answer.TTLMS) * time.Minute|' 'TestZombie'
mutant rows-expired leasekeeper internal/keeper/self.go \
  's|^const rowLife = .*|const rowLife = -time.Hour|' 'TestLife$'
mutant no-wait-for-drained leasekeeper internal/keeper/holding.go \
  's|return !h.granted .. h.final .. h.now >= h.expires|return true|' 'TestScale|TestRolling'
mutant no-drain consumer internal/task/task.go \
  's|time.Now().Add(t.o.DrainTimeout)|time.Now()|' 'TestScale'
mutant fanout-end-unread consumer internal/reader/fanout.go \
  's|^\t\tif err := s.deliver(long, b); err != nil {|\t\tif b.Next == "" { return true, b.Children, nil }\n&|' 'TestFanout'

echo "$caught caught, missed:${missed:- none}"
[ -z "$missed" ]
