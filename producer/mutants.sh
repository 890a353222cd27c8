#!/bin/sh
# mutants.sh [NAME ...]: breaks one promise of the producer at a time, in a copy,
# and checks that the test named beside it fails.
set -eu
. "$(dirname -- "$0")/../tools/mutants.sh"
begin producer "$@"

# sources
mutant last-line internal/source/lines.go 's/if size == 0 {/if size >= 0 {/' ./internal/source TestLineReader
mutant base64-as-text internal/source/lines.go 's/if r.format != Base64/if r.format != ""/' . TestProducer_Base64
mutant pipe-not-read internal/config/config.go 's/s.Source = Stdin/s.Source = Generate/' . TestProducer_Pipe
mutant folder-replaced internal/config/config.go 's/ || mode.IsDir()//' . TestProducer_Folder
mutant any-key internal/source/key.go 's/return checkKey(text)/return checkKey("k")/' ./internal/source TestParseKey
mutant key-not-heeded internal/app/app.go 's/s.Size, key)/s.Size, source.FreshKeys())/' . TestProducer_KeyOfGenerated
mutant keyless-for-ever internal/source/generate.go 's/fmt.Errorf("find the key of generated messages: %w", err)/\&BadMessage{Position: position, Reason: fmt.Sprint(err)}/' ./internal/source TestGenerator_Key
mutant size internal/source/generate.go 's/missing >= 0/missing >= 1<<40/' ./internal/source TestGenerator
mutant rate internal/app/feed.go 's/if f.limiter != nil/if f.limiter != nil \&\& f.limit < 0/' ./internal/app TestFeed_Rate
mutant rate-at-the-end internal/app/feed.go 's/m, err := f.source.Next()/if f.limiter != nil { _ = f.limiter.Wait(ctx) }; m, err := f.source.Next()/' ./internal/app TestFeed_Rate
mutant no-backpressure internal/delivery/engine.go 's/return e.buffered > 0 .*/return false/' . TestProducer_Backpressure

# delivery
mutant no-linger internal/delivery/compose.go 's/oldest.Add(e.o.Linger)/oldest/' ./internal/delivery TestEngine_Linger
mutant too-many-records internal/delivery/compose.go 's/e.o.MaxRecords-len(batch))/1000)/' ./internal/delivery TestEngine_LosesNothing
mutant too-many-bytes internal/delivery/compose.go 's/size+r.Size > most/size < 0/' ./internal/delivery TestEngine_LosesNothing
mutant no-jitter internal/delivery/settle.go 's/e.o.Jitter() \* float64(limit)/float64(limit)/' ./internal/delivery TestEngine_FullJitter
mutant all-again internal/delivery/settle.go 's/^\t\ttallies\[lane\].Accept(r.Size)/\t\tif i > 0 \&\& outcomes[0].Code != "" { e.again(r, outcomes[0].Code, now); continue }; &/' ./internal/delivery TestEngine_LosesNothing
mutant failed-not-again internal/delivery/settle.go 's/if outcomes\[i\].Code != ""/if outcomes[i].Code == throttleCode/' ./internal/delivery TestEngine_LosesNothing
mutant slow-shard-stops-all internal/delivery/compose.go 's/sooner(l.pace.Next(now, cost))/return 0, 0, false, l.pace.Next(now, cost)/' ./internal/delivery TestEngine_ThrottledShard
mutant no-pace internal/delivery/lane.go 's/if lanes\[i\].shard == ""/if lanes[i].shard != " "/' . TestProducer_PublishedLimits
mutant pace-not-faster internal/pace/pace.go 's/p.tokens += 2 \* more/p.tokens += more/' ./internal/pace TestPace_NoLimit
mutant never-given-up internal/delivery/settle.go 's/if e.o.RetryTimeout > 0/if e.o.RetryTimeout > 1<<60/' ./internal/delivery TestEngine_RetryTimeout
mutant standstill-counts internal/delivery/run.go 's/First.Add(still)/First.Add(0*still)/' ./internal/delivery TestEngine_RetryTimeoutStandstill
mutant way-overfilled internal/delivery/window.go 's/case w.limit == 0:/case w.limit >= 0:/' ./internal/delivery TestEngine_NarrowWay
mutant way-never-recovers internal/delivery/window.go 's/min(bytes\/little/min(0*bytes\/little/' ./internal/delivery TestEngine_WayRecovers
mutant record-limit internal/stream/stream.go 's/return int(kib) << 10, nil/return DefaultMaxRecord, nil/' ./internal/stream TestStream_MaxRecord
mutant gap-ends internal/stream/stream.go '/) Shards(/,/^}/s/case <-time.After(pause):/&\n\t\t\treturn nil, err/' ./internal/stream TestStream_Shards
mutant pace-believes internal/pace/pace.go 's/depth-max(0, p.tokens)-p.out, depth/depth-max(0, p.tokens), depth/' ./internal/pace TestPace_Unanswered
mutant pace-starves internal/pace/judge.go 's/min(max(firstStubborn, 2\*j.patience), lastStubborn)/firstStubborn/' ./internal/pace TestPace_DoesNotStarve

# order
mutant no-gate internal/delivery/engine.go 's/if e.o.Ordered \&\& !e.gate.Pass(m)/if false/' ./internal/delivery TestEngine_LosesNothing
mutant key-not-closed internal/delivery/engine.go '/^func (e \*Engine) place/,/^}/s/e.gate.Close(m.Key)/_ = m/' ./internal/delivery TestEngine_LosesNothing
mutant aggregate-not-sealed internal/delivery/engine.go '/^func (e \*Engine) seal/,/^}/s/if !e.o.Ordered/if true/' ./internal/delivery TestEngine_LosesNothing
mutant failure-opens-key internal/delivery/settle.go 's/^\tr.Due = now/\tr.Each(func(m message.Message) { e.gate.Open(m.Key) }); &/' ./internal/delivery TestEngine_LosesNothing
mutant split-aggregate-passes internal/delivery/engine.go 's/if e.o.Ordered \&\& e.gate.Hold(m)/if false/' ./internal/delivery TestEngine_LosesNothing
mutant keys-opened-in-turn internal/delivery/settle.go '/^\tr.Each(func(m message.Message) { e.gate.Open(m.Key) })/d; s/^\t\tfor {$/\t\te.gate.Open(m.Key); for {/' ./internal/delivery TestEngine_OrderOfRepeatedKeys
mutant reshard-passes internal/delivery/reshard.go 's/if e.o.Ordered \&\& !e.gate.Pass(m)/if false/' ./internal/delivery TestEngine_ReshardKeepsOrder
mutant held-goes-last internal/order/gate.go 's/q.list = append(\[\]message.Message{m}, q.list...)/q.list = append(q.list, m)/' ./internal/order TestGate
mutant gate-forgets-rest internal/order/gate.go 's/q.list\[q.head:\]...), 0/q.list[q.head+1:]...), 0/' ./internal/order TestGate

# the account and the exit code
mutant doubles-not-counted internal/delivery/settle.go 's/doubled+n\*int64(r.Unsure)/doubled/' ./internal/delivery TestEngine_LosesNothing
mutant lost-answer-is-certain internal/delivery/settle.go 's/batch\[i\].Unsure++/_ = i/' ./internal/delivery TestEngine_UnsureGivenUp
mutant given-up-for-certain internal/delivery/settle.go 's/reason, r.Unsure > 0)/reason, false)/' ./internal/delivery TestEngine_UnsureGivenUp
mutant stopped-for-certain internal/delivery/run.go 's/reason, r.Unsure > 0)/reason, false)/' ./internal/delivery TestEngine_StoppedAccountsForAll
mutant failed-for-throttles internal/delivery/settle.go 's/tallies\[lane\].Refuse(r.Size)/&; e.giveUp(r, throttleCode); continue/' ./internal/delivery TestEngine_LosesNothing
mutant waiting-not-failed internal/delivery/run.go 's/e.gate.Abandon()/e.gate.Abandon()[:0]/' ./internal/delivery TestEngine_StoppedAccountsForAll
mutant isolated-not-failed internal/delivery/run.go 's/range e.isolated/range e.isolated[:0]/' ./internal/delivery TestEngine_FatalWhileHalved
mutant positions-joined internal/account/positions.go 's/first <= position+1/first <= position+2/' ./internal/account TestPositions
mutant positions-not-joined internal/account/positions.go 's/first <= s.last+1 {/first < s.first {/' ./internal/account TestPositions
mutant positions-unbounded internal/account/positions.go 's/maxRanges = 4000/maxRanges = 1 << 40/' ./internal/account TestAccount_PositionsBounded
mutant cut-unsaid internal/account/positions.go 's/p.unnamed++/_ = p/' ./internal/account TestAccount_PositionsBounded
mutant refused-unnamed internal/delivery/settle.go 's/first = r.Many\[0\]/_ = first/' ./internal/delivery TestEngine_RefusedAggregate
mutant every-refusal-logged internal/delivery/settle.go 's/e.refused <= LoggedMessages/e.refused > 0/' ./internal/delivery TestEngine_RefusedLogged
mutant denied-at-once internal/delivery/settle.go 's/if !e.proven {/if true {/' ./internal/delivery TestEngine_Denied
mutant denied-never-ends internal/delivery/settle.go 's/if !e.proven {/if false {/' ./internal/delivery TestEngine_Denied
mutant lost-is-not-sent internal/put/put.go 's/classify(err, .*)/classify(err, codeNoConnection)/' ./internal/put TestClient_Put_errors
mutant unsigned-is-lost internal/put/sent.go 's/case f.built.Load():/case false:/' ./internal/put TestClient_Put_credentials
mutant dead-connection internal/put/client.go 's/SetHTTP1(true)/SetHTTP2(true); t.Protocols.SetHTTP1(true)/; s/NextProtos = nil/NextProtos = []string{"h2"}/' ./internal/put TestDial_DeadConnection
mutant doubled-by-sdk internal/put/put.go 's/Records: in.entries}, Once)/Records: in.entries})/' ./internal/put TestClient_Put_once
mutant failed-is-success internal/app/app.go 's/case summary.Failed > 0:/case summary.Failed < 0:/' . TestProducer_Backpressure
mutant rejected-is-success internal/app/app.go 's/case summary.Rejected > 0:/case summary.Rejected < 0:/' . TestProducer_Stdin
mutant rejected-is-failure main.go 's/return exitRejected/return exitFailed/' . TestProducer_Stdin
mutant account-unwritten internal/app/app.go 's/return errors.Join(runErr, fmt.Errorf("write account.*/_ = err/' . TestProducer_AccountNotWritten
mutant drain-for-ever internal/app/app.go 's/time.AfterFunc(drain, end)/time.AfterFunc(1<<60, end)/' . TestProducer_Backpressure
mutant hangup-kills main.go 's/if !signal.Ignored(syscall.SIGHUP)/if false/' . TestProducer_Signal
mutant nohup-undone main.go 's/if !signal.Ignored(syscall.SIGHUP)/if true/' . TestProducer_Nohup
mutant never-ended main.go 's/^\t\tsignal.Reset(.*/\t\t_ = 0/' . TestProducer_LogReaderStuck
mutant second-signal-ignored main.go 's/^\t\tabandon()/\t\t_ = abandon/' . TestProducer_SecondSignal

# aggregation
mutant first-shard internal/delivery/engine.go 's/l := e.lanes\[e.shards.Find(hash)\]/l := e.lanes[0]/' ./internal/delivery TestEngine_AggregateBytes
mutant no-hash-key internal/put/put.go '/ExplicitHashKey: aws/d; s/Hash.Decimal/_/' ./internal/put TestClient_Put
mutant aggregate-too-large internal/delivery/lane.go 's/l.openSize+aggregate.Cost(m) <= limit/limit > 0/' ./internal/delivery TestEngine_AggregateBytes
mutant cost-too-small internal/aggregate/aggregate.go 's/return m.Size() + .*/return m.Size()/' ./internal/aggregate TestCost
mutant one-key internal/aggregate/aggregate.go 's/appendRecord(out, index\[m.Key\], m.Data)/appendRecord(out, 0, m.Data)/' ./internal/aggregate TestEncode_Vectors
mutant checksum internal/aggregate/aggregate.go 's/md5.Sum(out\[len(magic):\])/md5.Sum(out)/' ./internal/aggregate TestEncode_Vectors
mutant boundary internal/shards/map.go 's/if m.ranges\[mid\].End.Less(h)/if !h.Less(m.ranges[mid].End)/' ./internal/shards TestNewMap
mutant not-split internal/delivery/reshard.go '/^func (e \*Engine) split/,/^}/s/if r.Many == nil/if true/' ./internal/delivery TestEngine_ReshardSplitsWaiting
mutant misplaced-counts internal/delivery/reshard.go '/^func (e \*Engine) lands/,/^}/s/return false/return true/' ./internal/delivery TestEngine_LosesNothing
mutant misplaced-all-again internal/delivery/reshard.go 's/if stored.Contains.*/if stored.ID == "" {/' ./internal/delivery TestEngine_ReshardSplitsWaiting
mutant misplaced-guessed internal/delivery/reshard.go '/^func (e \*Engine) resettle/,/^}/s/if !known {/if !known \&\& false {/' ./internal/delivery TestEngine_ReshardNotListed
mutant misplaced-for-ever internal/delivery/reshard.go 's/e.expire(now)/_ = e.expire/' ./internal/delivery TestEngine_ReshardNeverRead
mutant resent-not-counted internal/delivery/reshard.go '/e.o.Account.Resend/d' ./internal/delivery TestEngine_ReshardSplitsWaiting

# progress, health and metrics
mutant no-time-left internal/progress/line.go 's/rate >= 1 \&\& left > 0/left < 0/' ./internal/progress TestLine
mutant rate-since-start internal/progress/reporter.go 's/>= rateOver/>= 1<<60/' ./internal/progress TestPlain_RateLately
mutant log-over-line internal/progress/writer.go 's/if t.line == ""/if true/' ./internal/progress TestOnTerminal
mutant progress-not-off internal/app/app.go 's/case s.Progress == config.ProgressOff:/case false:/' ./internal/app TestReport
mutant progress-not-logged internal/app/app.go 's/case s.Progress == config.ProgressLog:/case false:/' ./internal/app TestReport
mutant terminal-not-used internal/app/app.go 's/case streams.Terminal != nil:/case false:/' ./internal/app TestReport
mutant terminal-everywhere main.go 's/term.IsTerminal(int(os.Stderr.Fd()))/term.IsTerminal(0) == false/' . TestProducer_Rate
mutant dumb-terminal main.go 's/ \&\& os.Getenv("TERM") != "dumb"//' . TestProducer_Terminal
mutant wrong-metric internal/metrics/metrics.go 's/return n.Retried })/return n.Throttled })/' ./internal/metrics TestNew
mutant no-health internal/app/admin.go 's,GET /healthz,GET /health,' . TestProducer_HealthAndMetrics
mutant no-metrics internal/app/admin.go 's,GET /metrics,GET /metric,' . TestProducer_HealthAndMetrics
mutant always-healthy verbs.go 's/if response.StatusCode != http.StatusOK/if false/' . TestProducer_HealthcheckSaysNo

conclude
