package delivery

import (
	"errors"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/message"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/pace"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/put"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/record"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/shards"
)

const (
	firstBackoff = 50 * time.Millisecond
	maxBackoff   = 5 * time.Second
	maxPause     = 2 * time.Second
	warnEvery    = time.Second
	throttleCode = "ProvisionedThroughputExceededException"
)

// LoggedMessages is how many messages get a log line of their own, for each
// thing that can happen to one; the account has the others.
const LoggedMessages = 100

// answered settles a request that was executed. sent is when its records left
// their lanes. Called with the lock.
func (e *Engine) answered(batch []record.Record, outcomes []record.Outcome, sent time.Time) {
	now := time.Now()
	e.failures, e.pause = 0, time.Time{}
	tallies := make([]pace.Tally, len(e.lanes))
	var messages, bytes, doubled, throttled int64
	for i := range batch {
		r := &batch[i]
		lane := e.shards.Find(r.Hash)
		if outcomes[i].Code != "" {
			if outcomes[i].Code == throttleCode {
				tallies[lane].Refuse(r.Size)
				throttled++
			} else {
				e.lanes[lane].pace.Lost(pace.Cost(r.Size))
			}
			e.again(r, outcomes[i].Code, now)
			continue
		}
		e.proven = true
		tallies[lane].Accept(r.Size)
		if e.lands(r, outcomes[i].Shard, lane) {
			n := int64(r.Messages())
			size, cost := r.Bytes()
			messages, bytes, doubled = messages+n, bytes+size, doubled+n*int64(r.Unsure)
			e.release(r, cost)
		}
	}
	for i, t := range tallies {
		if t.Accepted+t.Refused > 0 {
			e.lanes[i].pace.Answer(sent, now, t, e.o.Jitter())
		}
	}
	e.o.Account.Acknowledge(messages, bytes, doubled)
	if throttled > 0 {
		e.o.Account.Throttle(throttled)
	}
	e.reuse(batch)
}

// unanswered settles a request that failed as a whole. Called with the lock.
func (e *Engine) unanswered(batch []record.Record, err error) {
	now := time.Now()
	failure := &put.Error{Kind: put.Lost, Code: "Unknown", Err: err}
	errors.As(err, &failure)
	switch failure.Kind {
	case put.Refused:
		if len(batch) == 1 {
			e.forget(batch)
			e.logRefused(&batch[0], err)
			e.giveUp(&batch[0], failure.Code)
			return
		}
		half := len(batch) / 2
		e.isolated = append(e.isolated, batch[half:], batch[:half:half])
		return
	case put.Fatal:
		e.fatal = err
	case put.Denied:
		if !e.proven {
			e.fatal = err
		}
	case put.Lost:
		e.o.Account.LoseAnswer()
		for i := range batch {
			batch[i].Unsure++
		}
	case put.NotSent, put.Throttled:
	}
	if now.Sub(e.warned) >= warnEvery && e.fatal == nil {
		e.warned = now
		e.o.Log.Warn().Str("code", failure.Code).Err(err).Msg("request failed; trying again")
	}
	if e.failures > 0 { // one alone does not hold up the others
		e.pause = now.Add(e.backoff(e.failures, maxPause))
	}
	e.failures++
	e.forget(batch)
	for i := range batch {
		e.again(&batch[i], failure.Code, now)
	}
	e.reuse(batch)
}

// logRefused logs a record that the service refuses alone, the first ones only.
func (e *Engine) logRefused(r *record.Record, err error) {
	if e.refused++; e.refused <= LoggedMessages {
		first := r.One
		if r.Many != nil {
			first = r.Many[0]
		}
		e.o.Log.Error().Int64("position", first.Position).Int("messages", r.Messages()).Err(err).Msg("message refused")
	}
}

// forget tells the paces that no answer will come for the records.
func (e *Engine) forget(batch []record.Record) {
	for i := range batch {
		e.lanes[e.shards.Find(batch[i].Hash)].pace.Lost(pace.Cost(batch[i].Size))
	}
}

// again puts a record back to be sent later, or gives it up.
func (e *Engine) again(r *record.Record, code string, now time.Time) {
	if e.o.RetryTimeout > 0 && now.Sub(r.First) >= e.o.RetryTimeout {
		e.giveUp(r, code)
		return
	}
	r.Due = now.Add(e.backoff(r.Attempts-1, maxBackoff))
	if l := e.lanes[e.shards.Find(r.Hash)]; l.shard == r.Shard {
		l.retry.add(*r)
		return
	}
	e.put(*r, now) // the shards changed while it was under way
}

// giveUp fails a record; those that waited for its keys go on.
func (e *Engine) giveUp(r *record.Record, reason string) {
	r.Each(func(m message.Message) { e.o.Account.Fail(m.Position, reason, r.Unsure > 0) })
	_, cost := r.Bytes()
	e.release(r, cost)
}

// release frees a settled record's bytes and its keys.
func (e *Engine) release(r *record.Record, cost int64) {
	e.buffered -= cost
	if !e.o.Ordered {
		return
	}
	// All keys first: a message let through below may close its key again, and a
	// second message of that key in r must not open it.
	r.Each(func(m message.Message) { e.gate.Open(m.Key) })
	r.Each(func(m message.Message) {
		for {
			waiting, ok := e.gate.Next(m.Key)
			if !ok {
				return
			}
			hash := shards.HashOf(waiting.Key)
			e.place(waiting, hash, time.Now)
			e.lanes[e.shards.Find(hash)].since = time.Unix(0, 0) // it has waited enough
		}
	})
}

// backoff is full jitter: uniform from 0 to a limit that doubles each time.
func (e *Engine) backoff(failures int, most time.Duration) time.Duration {
	limit := min(most, firstBackoff<<min(failures, 16))
	return time.Duration(e.o.Jitter() * float64(limit))
}
