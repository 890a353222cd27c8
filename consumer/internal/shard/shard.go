// Package shard reads one granted shard into the dispatcher, from the grant's
// start to its end.
package shard

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/dispatch"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/grants"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/reader"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/term"
)

// Reader reads a shard into a sink until its end: see reader.Polling.
type Reader interface {
	Run(ctx context.Context, g contract.Grant, sink reader.Sink) ([]contract.ChildShard, error)
}

// Observer hears what happens. Its methods must not block.
type Observer interface {
	Damaged()    // an aggregate
	OutOfRange() // a user record
	Unpacked(records int)
	CheckpointTrimmed() // at the start of a grant
}

// Deps is what every shard of a task shares.
type Deps struct {
	Dispatcher *dispatch.Dispatcher
	Reader     Reader
	Observer   Observer
	Skip       bool          // messages in an aggregate whose key belongs to another shard
	Quiet      time.Duration // how long a shard may go without a read until that counts as lag
	Log        zerolog.Logger
}

// Outcome is how the reading of a grant ended.
type Outcome struct {
	Progress grants.Progress
	Ended    bool // at the end of the shard, with every message done
	Children []contract.ChildShard
	Err      error // why reading ended before the shard did and nobody had stopped it
}

// Sentinels, as causes of the handlers' contexts.
var (
	errWithdrawn = errors.New("the grant was withdrawn")
	errOver      = errors.New("the grant is over")
)

// grace is how long after the grant's end its handlers are waited for.
const grace = 15 * time.Second

// Shard is one grant at work.
type Shard struct {
	deps  Deps
	grant contract.Grant
	term  *term.Term
	run   *dispatch.Run
	rate  rate

	stop     chan struct{}
	stopOnce sync.Once
}

// Start begins to read the grant in a goroutine of its own, which calls over
// once at its end. The grant's context has parent as its parent.
func Start(parent context.Context, deps Deps, g contract.Grant, deadline time.Time, over func(Outcome)) *Shard {
	deps.Log = deps.Log.With().Str("shard", g.Shard).Int64("generation", g.Generation).Logger()
	t := term.New(parent, deadline)
	s := &Shard{deps: deps, grant: g, term: t, run: deps.Dispatcher.Open(t), stop: make(chan struct{})}
	s.rate.began, s.rate.quiet = time.Now(), deps.Quiet
	go func() { over(s.work()) }()
	return s
}

// Extend moves the grant's deadline.
func (s *Shard) Extend(deadline time.Time) { s.term.Extend(deadline) }

// Stop ends the reading; what is in process is finished.
func (s *Shard) Stop() { s.stopOnce.Do(func() { close(s.stop) }) }

func (s *Shard) work() Outcome {
	ctx, cancel := s.term.Within()
	go func() {
		select {
		case <-s.stop:
		case <-s.term.Done():
		}
		cancel(errWithdrawn)
		s.run.Stop()
	}()
	children, err := s.deps.Reader.Run(ctx, s.grant, newUnpacker(s))
	broken := err
	if ctx.Err() != nil {
		broken = nil // as it was told to
	}
	if err != nil {
		s.Stop()
	} else {
		s.run.Finish()
	}
	hung := !s.wait()
	// Whether the end was reached is known before the stop is: what is done is done.
	ended := err == nil && s.run.State().Unfinished == 0 && !hung
	s.Stop()
	outcome := Outcome{Progress: s.Progress(), Ended: ended, Children: children, Err: broken}
	s.term.End(errOver)
	return outcome
}

// wait waits until no handler has a message of the shard, but not for ever
// after the grant's end.
func (s *Shard) wait() bool {
	select {
	case <-s.run.Idle():
		return true
	case <-s.term.Done():
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-s.run.Idle():
		return true
	case <-timer.C:
		s.deps.Log.Error().Msg("handler does not heed its context")
		return false
	}
}

// Progress returns how far the shard is done.
func (s *Shard) Progress() grants.Progress {
	state := s.run.State()
	p := grants.Progress{Checkpoint: state.Mark}
	p.LagMS, p.RecordsPerSecond, p.BytesPerSecond = s.rate.report(time.Now())
	if !state.Oldest.IsZero() {
		p.LagMS = max(p.LagMS, time.Since(state.Oldest).Milliseconds())
	}
	return p
}

// Key identifies the shard's grant to people.
func (s *Shard) Key() (shard string, generation int64) { return s.grant.Shard, s.grant.Generation }

// Read returns when Kinesis last answered, with records or without; zero if it
// has not yet.
func (s *Shard) Read() time.Time { return s.rate.latest() }

// State returns where the shard's messages stand.
func (s *Shard) State() dispatch.State { return s.run.State() }
