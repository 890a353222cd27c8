package task

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/keeper"
)

const (
	maxWait   = 2 * time.Second        // for news, in one sync
	minWait   = 200 * time.Millisecond // the same, with a short TTL
	drainWait = 50 * time.Millisecond  // the same, while draining
	slack     = 2 * time.Second        // beyond the wait, for the answer
	apart     = 10 * time.Millisecond  // between syncs

	// A checkpoint that moved after a pause is reported this soon, and one that
	// keeps moving this often: leasekeeper writes each to its table.
	firstReport = 100 * time.Millisecond
	everyReport = time.Second
)

// loop is the syncs of a Task, one at a time.
type loop struct {
	*Task
	wait     time.Duration
	failures int       // in a row
	sent     time.Time // the last request
	good     time.Time // until when what the last answer grants is good
	reported time.Time // the last request that was sent because a checkpoint had moved
	given    bool      // the last call was given up: the next is answered at once, as only answers keep grants good
}

type result struct {
	answer contract.SyncResponse
	err    error
}

// sync makes one call and applies its answer. It returns when ctx ends, at the
// latest; calls are made with base.
func (l *loop) sync(ctx, base context.Context) {
	if !l.pause(ctx) {
		return
	}
	request, sent := l.request()
	call, cancel := context.WithTimeout(base, time.Duration(request.WaitMS)*time.Millisecond+slack)
	defer cancel()
	results := make(chan result, 1)
	go func() {
		answer, err := l.o.Keeper.Sync(call, request)
		results <- result{answer, err}
	}()
	r, interrupted := l.await(ctx, cancel, results, request.WaitMS)
	l.given = interrupted && r.err != nil
	if l.given {
		return
	}
	if l.o.Synced != nil {
		l.o.Synced(r.err)
	}
	if r.err != nil {
		l.failed(r.err)
		return
	}
	l.apply(request, sent, r.answer)
}

// pause keeps syncs apart: a little when all is well, more and more when not.
func (l *loop) pause(ctx context.Context) bool {
	d := time.Until(l.sent.Add(apart))
	if l.failures > 0 {
		d = max(d, 20*time.Millisecond+rand.N(min(500*time.Millisecond, 50*time.Millisecond<<min(l.failures, 6))))
	}
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

func (l *loop) request() (contract.SyncRequest, time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	drainSignal(l.changed)
	now, wait := time.Now(), l.wait
	if drainSignal(l.moved) { // and will again: the answer is to come by the next report
		l.reported = now
		wait = min(wait, everyReport)
	}
	for k, s := range l.shards {
		l.machine.Progress(k, s.Progress())
	}
	l.do(l.machine.Tick(now))
	switch {
	case l.given:
		wait = 0
	case l.draining:
		wait = drainWait
	}
	l.sent = now
	return l.machine.Request(wait), l.sent
}

func drainSignal(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// await waits for the answer, but gives a call that waits for news up when
// there is something to tell first.
func (l *loop) await(ctx context.Context, cancel context.CancelFunc, results <-chan result, waitMS int64) (r result, interrupted bool) {
	var report <-chan time.Time
	moved, changed := l.moved, l.changed
	if waitMS == 0 {
		moved, changed = nil, nil
	}
	expiry := time.NewTimer(l.untilExpiry())
	defer expiry.Stop()
	for {
		select {
		case r := <-results:
			return r, false
		case <-expiry.C:
			l.tick(expiry)
			continue
		case <-moved:
			moved = nil
			signal(l.moved)                // request takes it
			if l.reported.Before(l.sent) { // else the answer is due by then
				report = time.After(l.untilReport(time.Now()))
			}
			continue
		case <-changed:
			signal(l.changed) // request takes it
		case <-report:
		case <-ctx.Done():
		}
		cancel()
		return <-results, true
	}
}

func (l *loop) untilReport(now time.Time) time.Duration {
	return max(firstReport, l.reported.Add(everyReport).Sub(now))
}

func (l *loop) tick(expiry *time.Timer) {
	l.mu.Lock()
	l.do(l.machine.Tick(time.Now()))
	l.mu.Unlock()
	expiry.Reset(l.untilExpiry())
}

func (l *loop) untilExpiry() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, ok := l.machine.Next()
	if !ok {
		return time.Hour
	}
	return max(time.Until(at), time.Millisecond)
}

func (l *loop) apply(request contract.SyncRequest, sent time.Time, answer contract.SyncResponse) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if !l.reached {
		l.o.Log.Info().Str("worker", answer.Worker).Str("leasekeeper", answer.Version).Msg("attached to leasekeeper")
	}
	l.answered, l.reached, l.failures = now, true, 0
	l.do(l.machine.Answer(request, sent, now, answer))
	ttl := time.Duration(answer.TTLMS) * time.Millisecond
	l.wait, l.good = max(minWait, min(maxWait, ttl/3)), sent.Add(ttl)
}

func (l *loop) failed(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failures++
	if l.reached || l.failures == 1 {
		event := l.o.Log.Warn().Err(err)
		switch {
		case errors.Is(err, keeper.ErrConflict), errors.Is(err, keeper.ErrNotReady):
			event.Msg("waiting for leasekeeper")
		default:
			event.Msg("leasekeeper cannot be reached, trying again")
		}
	}
	l.reached = false
}
