// Package task keeps a consumer doing what its leasekeeper grants: one loop of
// syncs, and one shard at work for each grant.
package task

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/grants"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/shard"
)

// Keeper is leasekeeper.
type Keeper interface {
	Sync(ctx context.Context, r contract.SyncRequest) (contract.SyncResponse, error)
}

// Options of a Task.
type Options struct {
	Keeper       Keeper
	Shards       shard.Deps
	Consumer     string // a new UUID
	Version      string
	DrainTimeout time.Duration
	Synced       func(error) // called after every sync
	Log          zerolog.Logger
}

// ErrUnfinished is the error of a Run that had to cut off work at its drain
// deadline. The messages are handled again by their shards' next readers.
var ErrUnfinished = errors.New("the drain deadline passed with messages in process")

// Task is one life of a consumer.
type Task struct {
	o       Options
	changed chan struct{} // a grant has ended: leasekeeper is to hear of it now
	moved   chan struct{} // a watermark has moved: leasekeeper is to hear of it soon

	mu       sync.Mutex
	machine  *grants.Machine
	shards   map[grants.Key]*shard.Shard
	base     context.Context //nolint:containedctx // the life of Run
	answered time.Time       // when leasekeeper last answered
	reached  bool            // the last sync succeeded
	draining bool
}

// New returns a Task. Moved must be made the Moved of the dispatcher's options.
func New(o Options) *Task {
	return &Task{
		o: o, changed: make(chan struct{}, 1), moved: make(chan struct{}, 1),
		machine: grants.New(o.Consumer, o.Version), shards: map[grants.Key]*shard.Shard{},
	}
}

// Moved tells the task that a watermark has moved. It does not block.
func (t *Task) Moved() { signal(t.moved) }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run works until ctx ends, and then drains: it reads on until leasekeeper
// withdraws its grants, for half of the drain timeout at most, finishes what is
// in process, and returns when leasekeeper has heard of it, or at the drain
// deadline.
func (t *Task) Run(ctx context.Context) error {
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	t.mu.Lock()
	t.base = base
	t.mu.Unlock()
	l := &loop{Task: t, wait: maxWait}
	for ctx.Err() == nil {
		l.sync(ctx, base)
	}
	deadline := time.Now().Add(t.o.DrainTimeout)
	t.drain()
	final, stop := context.WithDeadline(base, deadline)
	defer stop()
	unheard := time.AfterFunc(t.o.DrainTimeout/2, t.stopAll)
	defer unheard.Stop()
	for final.Err() == nil && !t.over(l) {
		l.sync(final, final)
	}
	if n := t.atWork(); n > 0 {
		t.o.Log.Error().Int("shards", n).Msg("drain deadline passed with messages in process")
		return ErrUnfinished
	}
	if !t.parted() {
		t.o.Log.Warn().Msg("leasekeeper has not heard that this consumer is gone")
	}
	return nil
}

// over tells whether there is nothing left to wait for while draining.
func (t *Task) over(l *loop) bool {
	if t.parted() {
		return true
	}
	// Nobody waits for a report of grants that have run out, and who never got an
	// answer never had one.
	return t.atWork() == 0 && l.failures >= 3 && !time.Now().Before(l.good)
}

func (t *Task) parted() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.machine.Parted()
}

func (t *Task) atWork() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.shards)
}

func (t *Task) drain() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.draining = true
	t.o.Log.Info().Int("shards", len(t.shards)).Msg("draining")
	t.machine.Drain()
}

// stopAll stops reading although leasekeeper has withdrawn nothing.
func (t *Task) stopAll() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.do(t.machine.StopAll())
}

// do does what the machine asks for. The lock is held.
func (t *Task) do(actions []grants.Action) {
	for _, a := range actions {
		switch a.Kind {
		case grants.Start:
			t.start(a)
		case grants.Extend:
			if s := t.shards[a.Key]; s != nil {
				s.Extend(a.Deadline)
			}
		case grants.Stop:
			if s := t.shards[a.Key]; s != nil {
				t.o.Log.Info().Str("shard", a.Key.Shard).Int64("generation", a.Key.Generation).Msg("shard stops")
				s.Stop()
			}
		}
	}
}

func (t *Task) start(a grants.Action) {
	t.o.Log.Info().Str("shard", a.Key.Shard).Int64("generation", a.Key.Generation).Str("worker", a.Key.Worker).
		Str("start", a.Grant.Start.Type).Str("sequence", a.Grant.Start.Sequence).Msg("shard starts")
	t.shards[a.Key] = shard.Start(t.base, t.o.Shards, a.Grant, a.Deadline, func(o shard.Outcome) { t.ended(a.Key, o) })
}

// ended notes that a shard's work is over. It runs in the shard's goroutine.
func (t *Task) ended(k grants.Key, o shard.Outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.shards, k)
	t.o.Log.Info().Str("shard", k.Shard).Int64("generation", k.Generation).Bool("ended", o.Ended).
		Str("sequence", o.Progress.Checkpoint.Sequence).Int64("sub", o.Progress.Checkpoint.Sub).Msg("shard stopped")
	if o.Err != nil {
		t.o.Log.Error().Str("shard", k.Shard).Err(o.Err).Msg("reading ended")
	}
	now := time.Now()
	if o.Ended {
		t.do(t.machine.Ended(k, o.Progress, o.Children, now))
	} else {
		t.do(t.machine.Drained(k, o.Progress, now))
	}
	signal(t.changed)
}

// Answered returns when leasekeeper last answered; zero if never.
func (t *Task) Answered() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.answered
}

// Reached tells whether the last sync was answered.
func (t *Task) Reached() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.reached
}

// Shards returns the shards at work.
func (t *Task) Shards() []*shard.Shard {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := make([]*shard.Shard, 0, len(t.shards))
	for _, s := range t.shards {
		list = append(list, s)
	}
	return list
}
