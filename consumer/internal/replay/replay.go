package replay

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/shard"
)

// endless is the time a grant is good for that nobody takes away.
const endless = 100 * 365 * 24 * time.Hour

// Errors of a Run that did not come to its end.
var (
	ErrStopped = errors.New("stopped before the end")
	ErrNoShard = errors.New("the stream has no such shard")
	errShard   = errors.New("reading ended before the shard did")
)

// Options of a Replay.
type Options struct {
	Stream, StreamARN string
	Window            Window
	Only              []string // the shards to replay; all, and those that are born meanwhile, if empty
	Resume            []Position
	List              func(ctx context.Context) ([]contract.ChildShard, error) // the shards there are now
	Shards            shard.Deps                                               // with a Reader of this package
	Tally             *Tally
	DrainTimeout      time.Duration
	Log               zerolog.Logger
}

// Replay is one replay. It is for one goroutine.
type Replay struct {
	o       Options
	plan    *plan
	began   time.Time
	whole   bool // every shard is done, and there are no others
	reading map[string]*shard.Shard
	ended   chan ended
}

type ended struct {
	shard   string
	outcome shard.Outcome
}

// New returns a Replay of the shards listed. Its error wraps ErrNoShard if one
// that was named is not among them.
func New(o Options, listed []contract.ChildShard) (*Replay, error) {
	r := &Replay{o: o, plan: newPlan(o.Only), began: time.Now(), reading: map[string]*shard.Shard{}, ended: make(chan ended)}
	r.plan.add(listed...)
	if missing := r.plan.missing(); len(missing) > 0 && len(o.Resume) == 0 {
		names := make([]string, 0, len(listed))
		for _, s := range listed {
			names = append(names, s.Shard)
		}
		return nil, fmt.Errorf("%w: %s; it has %s", ErrNoShard, strings.Join(missing, ", "), strings.Join(names, ", "))
	}
	if err := r.plan.resume(o.Resume); err != nil {
		return nil, fmt.Errorf("resume: %w", err)
	}
	return r, nil
}

// Tally is what counts what the replay does.
func (r *Replay) Tally() *Tally { return r.o.Tally }

// Run reads until every shard is done. When ctx ends before, it drains: what is
// in process is finished, for the drain timeout at most, and the error is
// ErrStopped. So it does when a shard cannot be read, whose error is returned.
// Summary tells how far it came.
func (r *Replay) Run(ctx context.Context) error {
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	for {
		r.start(base)
		if len(r.reading) == 0 {
			more, err := r.born(ctx)
			switch {
			case ctx.Err() != nil:
				return ErrStopped
			case err != nil:
				return err
			case !more:
				r.whole = true
				return nil
			}
			continue
		}
		select {
		case e := <-r.ended:
			if err := r.over(e); err != nil {
				_ = r.drain(cancel) // why it stops is what counts
				return err
			}
		case <-ctx.Done():
			return r.drain(cancel)
		}
	}
}

// start begins to read what can be read.
func (r *Replay) start(base context.Context) {
	for _, e := range r.plan.next() {
		r.o.Log.Info().Str("shard", e.Shard).Str("sequence", e.at.Sequence).Int64("sub", e.at.Sub).Msg("shard starts")
		id := e.Shard
		r.reading[id] = shard.Start(base, r.o.Shards, r.grant(e), time.Now().Add(endless), func(o shard.Outcome) { r.ended <- ended{id, o} })
	}
}

// grant is a shard's part of the window. Its generation is 0: no lease is held.
func (r *Replay) grant(e *entry) contract.Grant {
	g := contract.Grant{Stream: r.o.Stream, StreamARN: r.o.StreamARN, Shard: e.Shard, HashKeyRange: e.HashKeyRange}
	switch {
	case !e.at.IsZero():
		g.Start = contract.Start{Type: contract.AtSequenceNumber, Sequence: e.at.Sequence, Sub: e.at.Sub}
	case r.o.Window.From.IsZero():
		g.Start = contract.Start{Type: contract.TrimHorizon}
	default:
		g.Start = contract.Start{Type: contract.AtTimestamp, TimestampMS: r.o.Window.From.UnixMilli()}
	}
	return g
}

// born looks for shards that were born since the last look: a parent that is
// read to the window's end tells nothing of its children.
func (r *Replay) born(ctx context.Context) (bool, error) {
	listed, err := r.o.List(ctx)
	if err != nil {
		return false, fmt.Errorf("look for new shards: %w", err)
	}
	return r.plan.add(listed...), nil
}

// over notes how far a shard is done. The error says that it is not.
func (r *Replay) over(e ended) error {
	delete(r.reading, e.shard)
	r.o.Tally.over(e.shard)
	entry := r.plan.shards[e.shard]
	if at := e.outcome.Progress.Checkpoint; !at.IsZero() {
		entry.at = at
	}
	r.o.Log.Info().Str("shard", e.shard).Bool("done", e.outcome.Ended).Str("sequence", entry.at.Sequence).
		Int64("sub", entry.at.Sub).Msg("shard stopped")
	if e.outcome.Err != nil {
		return fmt.Errorf("read shard %s: %w", e.shard, e.outcome.Err)
	}
	if !e.outcome.Ended {
		return fmt.Errorf("shard %s: %w", e.shard, errShard)
	}
	entry.state = Done
	r.plan.add(e.outcome.Children...)
	return nil
}

// drain stops the reading and waits for the handlers.
func (r *Replay) drain(cutOff func()) error {
	r.o.Log.Info().Int("shards", len(r.reading)).Msg("draining")
	for _, s := range r.reading {
		s.Stop()
	}
	timer := time.AfterFunc(r.o.DrainTimeout, func() {
		r.o.Log.Warn().Msg("drain deadline passed with messages in process")
		cutOff()
	})
	defer timer.Stop()
	for len(r.reading) > 0 {
		_ = r.over(<-r.ended) // that it is not done is why we are here
	}
	return ErrStopped
}

// Summary tells what was done so far. It is not for use while Run runs.
func (r *Replay) Summary() Summary {
	s := Summary{
		Stream: r.o.Stream, From: r.o.Window.Begin(), Until: r.o.Window.Until, Only: r.o.Only,
		Complete: r.whole, Shards: len(r.plan.shards), Positions: r.plan.positions(),
		Records: r.o.Tally.records.Load(), Bytes: r.o.Tally.bytes.Load(), DeadLettered: r.o.Tally.buried.Load(),
		Seconds: time.Since(r.began).Round(time.Millisecond).Seconds(),
	}
	s.Handled = r.o.Tally.done.Load() - s.DeadLettered
	for _, p := range s.Positions {
		if p.State == Done {
			s.ShardsDone++
		}
	}
	return s
}
