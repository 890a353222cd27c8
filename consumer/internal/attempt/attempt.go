// Package attempt decides what becomes of a message whose handling went wrong:
// it is tried again, alone, within limits, and then goes to the dead-letter
// table; or, where the sink is at fault, it waits until the sink is back.
package attempt

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/handler"
)

// Letter is a message that is given up, and why.
type Letter struct {
	Message  handler.Message
	Reason   string
	Attempts int
}

// Burier keeps dead letters. An error means that the letter is not kept; it is
// tried again.
type Burier interface {
	Bury(ctx context.Context, l Letter) error
}

// Observer hears what happens. Its methods must not block.
type Observer interface {
	Handled(messages int, took time.Duration)
	Retried(messages int)
	Unavailable(messages int)
	Buried()
	Panicked()
}

// Policy makes a handler into something that finishes every message. Its
// Process is a dispatch.Process.
type Policy struct {
	Handler     handler.Handler
	MaxAttempts int           // of one message
	MaxAge      time.Duration // from a message's first failure to giving up
	Block       bool          // never give up
	Graves      Burier
	Observer    Observer
	Log         zerolog.Logger
	MinBackoff  time.Duration // the first wait is up to this, then twice as much each time
	MaxBackoff  time.Duration
}

// Process handles batch until every message is done or ctx has ended.
func (p *Policy) Process(ctx context.Context, batch []handler.Message, done func(places []int)) {
	if ctx.Err() != nil { // ended since the batch was made
		return
	}
	failed := p.handle(ctx, batch)
	if len(failed) == 0 {
		done(nil)
		return
	}
	ok := make([]int, 0, len(batch))
	for i := range batch {
		if _, bad := failed[i]; !bad {
			ok = append(ok, i)
		}
	}
	if len(ok) > 0 {
		done(ok)
	}
	var others sync.WaitGroup
	defer others.Wait()
	for i, err := range failed {
		others.Go(func() {
			if p.alone(ctx, batch[i:i+1:i+1], err) {
				done([]int{i})
			}
		})
	}
}

// handle calls the handler, and returns what failed: an empty map if nothing
// did.
func (p *Policy) handle(ctx context.Context, batch []handler.Message) handler.Failed {
	start := time.Now()
	err := p.call(ctx, batch)
	if p.Observer != nil {
		p.Observer.Handled(len(batch), time.Since(start))
	}
	if err == nil {
		return handler.Failed{}
	}
	var some handler.Failed
	if errors.As(err, &some) {
		return named(batch, some)
	}
	return all(batch, err)
}

// named returns what a handler named as failed. A place with a nil error is
// done, as one that is not named.
func named(batch []handler.Message, some handler.Failed) handler.Failed {
	failed := make(handler.Failed, len(some))
	for i, err := range some {
		if i < 0 || i >= len(batch) {
			return all(batch, fmt.Errorf("the handler named place %d of a batch of %d", i, len(batch)))
		}
		if err != nil {
			failed[i] = err
		}
	}
	return failed
}

func all(batch []handler.Message, err error) handler.Failed {
	failed := make(handler.Failed, len(batch))
	for i := range batch {
		failed[i] = err
	}
	return failed
}

func (p *Policy) call(ctx context.Context, batch []handler.Message) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("handler panicked: %v", r)
			p.Log.Error().Str("shard", batch[0].Shard).Str("sequence", batch[0].Sequence).
				Interface("panic", fmt.Sprint(r)).Bytes("stack", debug.Stack()).Msg("handler panicked")
			if p.Observer != nil {
				p.Observer.Panicked()
			}
		}
	}()
	return p.Handler.Handle(ctx, batch)
}

// alone goes on with one message, whose first attempt ended with err, and
// tells whether it is done; it is not when ctx has ended.
func (p *Policy) alone(ctx context.Context, one []handler.Message, err error) bool {
	var first time.Time // that the message failed; it is not when the sink was at fault
	attempts := 0
	for wait := 0; ; wait++ {
		if ctx.Err() != nil {
			return false
		}
		switch {
		case errors.Is(err, handler.ErrUnavailable):
			p.observe(func(o Observer) { o.Unavailable(1) })
		default:
			if attempts++; attempts == 1 {
				first = time.Now()
			}
			if p.hopeless(err, attempts, time.Since(first)) && !p.Block {
				return p.bury(ctx, Letter{Message: one[0], Reason: err.Error(), Attempts: attempts})
			}
			if attempts == 1 || attempts%100 == 0 {
				p.Log.Warn().Err(err).Str("shard", one[0].Shard).Str("sequence", one[0].Sequence).
					Int64("sub", one[0].SubSequence).Int("attempts", attempts).Msg("message failed, trying again")
			}
			p.observe(func(o Observer) { o.Retried(1) })
		}
		if !p.sleep(ctx, wait) {
			return false
		}
		failed := p.handle(ctx, one)
		if len(failed) == 0 {
			return true
		}
		err = failed[0]
	}
}

func (p *Policy) observe(f func(Observer)) {
	if p.Observer != nil {
		f(p.Observer)
	}
}

func (p *Policy) hopeless(err error, attempts int, age time.Duration) bool {
	return errors.Is(err, handler.ErrPermanent) || attempts >= p.MaxAttempts || age >= p.MaxAge
}

// bury keeps the letter, however long it takes to be written: a message that
// is not kept is never passed over.
func (p *Policy) bury(ctx context.Context, l Letter) bool {
	for wait := 0; ; wait++ {
		err := p.Graves.Bury(ctx, l)
		if err == nil {
			break
		}
		if wait%20 == 0 && ctx.Err() == nil {
			p.Log.Error().Err(err).Str("shard", l.Message.Shard).Str("sequence", l.Message.Sequence).
				Msg("dead letter not written, trying again")
		}
		if !p.sleep(ctx, wait) {
			return false
		}
	}
	p.Log.Error().Str("shard", l.Message.Shard).Str("sequence", l.Message.Sequence).Int64("sub", l.Message.SubSequence).
		Int("attempts", l.Attempts).Str("reason", l.Reason).Msg("message dead-lettered")
	p.observe(func(o Observer) { o.Buried() })
	return true
}

// sleep waits between nothing and the backoff's n-th bound ("full jitter"),
// and tells whether ctx is still good.
func (p *Policy) sleep(ctx context.Context, n int) bool {
	bound := p.MaxBackoff
	if n < 30 {
		bound = min(bound, p.MinBackoff<<n)
	}
	if bound <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(rand.N(bound) + 1)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return ctx.Err() == nil // by the clock
	}
}
