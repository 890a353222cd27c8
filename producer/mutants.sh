#!/bin/sh
# mutants.sh [NAME ...]: breaks one promise of the producer at a time, in a copy,
# and checks that the test named beside it fails.
set -eu

root=$(CDPATH="" cd -- "$(dirname -- "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export GOWORK=off
wanted="${*:-all}" caught=0 missed=""
ln -s "$root/localaws" "$work/localaws"

# mutant NAME FILE 'SED SCRIPT' PACKAGE 'TEST THAT MUST FAIL'
mutant() {
  name=$1 file=$2 edit=$3 package=$4 tests=$5
  case " $wanted " in *" all "* | *" $name "*) ;; *) return 0 ;; esac
  rm -rf "${work:?}/producer"
  cp -r "$root/producer" "$work/producer"
  sed -i "$edit" "$work/producer/$file"
  if cmp -s "$work/producer/$file" "$root/producer/$file"; then
    echo "$name: the source has changed, the mutation does not apply" >&2
    exit 2
  fi
  if (cd "$work/producer" && go test -vet=off -count=1 -timeout 120s -run "$tests" "$package") >"$work/$name.log" 2>&1; then
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

# sources
mutant last-line internal/source/lines.go 's/if size == 0 {/if size >= 0 {/' ./internal/source TestLineReader
mutant base64-as-text internal/source/lines.go 's/if r.format != Base64/if r.format != ""/' . TestProducer_Base64
mutant pipe-not-read internal/config/config.go 's/s.Source = Stdin/s.Source = Generate/' . TestProducer_Pipe
mutant any-key internal/source/key.go 's/return checkKey(text)/return checkKey("k")/' ./internal/source TestParseKey
mutant size internal/source/generate.go 's/missing >= 0/missing >= 1<<40/' ./internal/source TestGenerator
mutant rate internal/app/feed.go 's/if f.limiter != nil/if f.limiter != nil \&\& f.limit < 0/' ./internal/app TestFeed_Rate
mutant rate-at-the-end internal/app/feed.go 's/m, err := f.source.Next()/if f.limiter != nil { _ = f.limiter.Wait(ctx) }; m, err := f.source.Next()/' ./internal/app TestFeed_Rate
mutant no-backpressure internal/delivery/engine.go 's/return e.buffered > 0 .*/return false/' . TestProducer_Backpressure

# delivery
mutant no-linger internal/delivery/compose.go 's/oldest.Add(e.o.Linger)/oldest/' ./internal/delivery TestEngine_Linger
mutant too-many-records internal/delivery/compose.go 's/e.o.MaxRecords-len(batch))/1000)/' ./internal/delivery TestEngine_LosesNothing
mutant too-many-bytes internal/delivery/compose.go 's/size+r.Size > e.o.MaxBytes/size < 0/' ./internal/delivery TestEngine_LosesNothing
mutant no-jitter internal/delivery/settle.go 's/e.o.Jitter() \* float64(limit)/float64(limit)/' ./internal/delivery TestEngine_FullJitter
mutant all-again internal/delivery/settle.go 's/^\t\ttallies\[lane\].Accept(r.Size)/\t\tif i > 0 \&\& outcomes[0].Code != "" { e.again(r, outcomes[0].Code, now); continue }; &/' ./internal/delivery TestEngine_LosesNothing
mutant failed-not-again internal/delivery/settle.go 's/if outcomes\[i\].Code != ""/if outcomes[i].Code == throttleCode/' ./internal/delivery TestEngine_LosesNothing
mutant slow-shard-stops-all internal/delivery/compose.go 's/sooner(l.pace.Next(now, cost))/return 0, 0, false, l.pace.Next(now, cost)/' ./internal/delivery TestEngine_ThrottledShard
mutant no-pace internal/delivery/lane.go 's/if lanes\[i\].shard == ""/if lanes[i].shard != " "/' . TestProducer_PublishedLimits
mutant pace-not-faster internal/pace/pace.go 's/p.tokens += 2 \* more/p.tokens += more/' ./internal/pace TestPace_NoLimit
mutant never-given-up internal/delivery/settle.go 's/if e.o.RetryTimeout > 0/if e.o.RetryTimeout > 1<<60/' ./internal/delivery TestEngine_RetryTimeout
mutant record-limit internal/stream/stream.go 's/return int(kib) << 10, nil/return DefaultMaxRecord, nil/' ./internal/stream TestStream_MaxRecord

echo "$caught caught, missed:${missed:- none}"
[ -z "$missed" ]
