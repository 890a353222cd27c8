package delivery

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/message"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/put"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/record"
)

// payloadUnit is what a record is billed by.
const payloadUnit = 25 << 10

// Reasons of failure beside the service's own codes.
const (
	ReasonStopped   = "stopped before it was acknowledged"
	ReasonFatal     = "the service refuses this producer"
	ReasonMisplaced = "stored on another shard than foreseen, and the shards could not be read"
)

// Run sends until everything that was submitted before Close is settled. When
// ctx ends first, requests in flight are broken off and everything that is left
// counts as failed. The error is what makes further requests pointless, such as
// a stream that is gone; nil otherwise.
func (e *Engine) Run(ctx context.Context) error {
	var flying sync.WaitGroup
	slots := make(chan struct{}, e.o.Concurrency)
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
		}
		batch, composed := e.next(ctx, &flying)
		if batch == nil {
			break
		}
		flying.Go(func() {
			defer func() { <-slots }()
			e.send(ctx, batch, composed)
		})
	}
	flying.Wait()
	return e.finish()
}

// next waits for the records of the next request, and says when they were taken
// from their lanes; nil means that there is none and will be none.
func (e *Engine) next(ctx context.Context, flying *sync.WaitGroup) ([]record.Record, time.Time) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for ctx.Err() == nil {
		e.mu.Lock()
		if e.fatal != nil || e.closed && e.buffered == 0 {
			e.mu.Unlock()
			return nil, time.Time{}
		}
		now := time.Now()
		batch, at := e.compose(now)
		e.window.flying += sizeOf(batch)
		if e.stale && !e.reading && e.o.Refresh != nil {
			if now.Before(e.refreshAt) {
				at = e.refreshAt
			} else {
				e.reading = true
				flying.Go(func() { e.refresh(ctx) })
			}
		}
		e.mu.Unlock()
		if batch != nil {
			return batch, now
		}
		var alarm <-chan time.Time
		if !at.IsZero() {
			timer.Reset(at.Sub(now))
			alarm = timer.C
		}
		select {
		case <-e.wake:
		case <-alarm:
		case <-ctx.Done():
		}
	}
	return nil, time.Time{}
}

// send puts one request and settles what became of it.
func (e *Engine) send(ctx context.Context, batch []record.Record, composed time.Time) {
	now, units, retried := time.Now(), 0, 0
	for i := range batch {
		r := &batch[i]
		if r.Attempts++; r.First.IsZero() {
			r.First = now
		} else {
			retried += r.Messages()
		}
		units += max(1, (r.Size+payloadUnit-1)/payloadUnit)
	}
	e.o.Account.Request(int64(len(batch)), int64(units))
	e.o.Account.Retry(int64(retried))
	e.o.Account.Flight(1)
	attempt, cancel := context.WithTimeout(ctx, e.o.AttemptTimeout)
	outcomes, err := e.o.Put.Put(attempt, batch)
	cancel()
	e.o.Account.Flight(-1)
	e.discount(batch, time.Since(now))

	e.mu.Lock()
	defer e.mu.Unlock()
	e.window.settle(sizeOf(batch), now, time.Now(), e.o.AttemptTimeout)
	if err != nil {
		e.unanswered(batch, err)
	} else {
		e.answered(batch, outcomes, composed)
	}
	e.o.Account.Buffer(e.buffered)
	e.space.Broadcast()
	e.signal()
}

// sizeOf is the bytes of a request's records.
func sizeOf(batch []record.Record) (size int) {
	for i := range batch {
		size += batch[i].Size
	}
	return size
}

// discount takes the time in which the process stood still off that for which
// the records were tried: an attempt took no longer than it may.
func (e *Engine) discount(batch []record.Record, took time.Duration) {
	still := took - e.o.AttemptTimeout
	if still <= 0 {
		return
	}
	for i := range batch {
		batch[i].First = batch[i].First.Add(still)
	}
}

// finish ends the engine: what is left has failed.
func (e *Engine) finish() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ended = true
	reason := ReasonStopped
	var fatal *put.Error
	if errors.As(e.fatal, &fatal) {
		reason = fmt.Sprintf("%s: %s", ReasonFatal, fatal.Code)
	}
	for _, p := range e.misplaced {
		p.record.Unsure++ // it is stored, perhaps where it is not read
		e.abandon(&p.record, reason)
	}
	for _, batch := range e.isolated {
		for i := range batch {
			e.abandon(&batch[i], reason)
		}
	}
	for _, l := range e.lanes {
		l.finish(func([]message.Message) {})
		for !l.fresh.empty() {
			r := l.fresh.pop()
			e.abandon(&r, reason)
		}
		for i := range l.retry {
			e.abandon(&l.retry[i], reason)
		}
		l.retry = nil
	}
	for _, m := range e.gate.Abandon() {
		r := record.Record{One: m}
		e.abandon(&r, reason)
	}
	e.misplaced, e.isolated = nil, nil
	e.o.Account.Buffer(e.buffered)
	e.space.Broadcast()
	return e.fatal
}

// abandon counts a record as failed.
func (e *Engine) abandon(r *record.Record, reason string) {
	r.Each(func(m message.Message) { e.o.Account.Fail(m.Position, reason, r.Unsure > 0) })
	_, cost := r.Bytes()
	e.buffered -= cost
}

// batch returns an empty slice for the records of a request.
func (e *Engine) batch() []record.Record {
	if b, ok := e.batches.Get().(*[]record.Record); ok {
		return *b
	}
	return make([]record.Record, 0, e.o.MaxRecords)
}

// reuse gives a slice back that nobody looks at any more.
func (e *Engine) reuse(batch []record.Record) {
	if cap(batch) < e.o.MaxRecords {
		return
	}
	clear(batch)
	batch = batch[:0]
	e.batches.Put(&batch)
}
