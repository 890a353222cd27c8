// Package runner drives a keeper: the one loop that serves the consumer, plans
// and sends heartbeats, so that none of these can go on without the others. It
// executes the keeper's operations in a bounded number of goroutines.
package runner

import (
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/keeper"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// Executor makes one attempt at an operation, within a time that is bounded
// also where ctx is not.
type Executor func(ctx context.Context, op lease.Op) lease.Answer

// ErrStopped says that the loop has ended.
var ErrStopped = errors.New("leasekeeper has stopped")

// Limits of operations side by side. Writes of worker rows, heartbeats above
// all, never queue.
const (
	maxRunning = 32
	wholeScan  = 30 * time.Second // for all pages of a scan or a list together
	warnEvery  = 10 * time.Second // failures of operations in between are logged at debug
)

// Runner owns a keeper and its loop.
type Runner struct {
	keeper  *keeper.Keeper
	execute Executor
	log     zerolog.Logger
	started time.Time
	events  chan func()
	stopped chan struct{}

	// Of the loop alone:
	ctx     context.Context // of operations; ends with the loop
	running int
	queue   []keeper.Do
	replies map[uint64]chan keeper.Reply
	lastID  uint64
	warned  time.Duration // when an operation's failure was last in the log above debug
	exit    *keeper.Exit
}

// New returns a runner; its clock starts now, at 0.
func New(k *keeper.Keeper, execute Executor, log zerolog.Logger) *Runner {
	return &Runner{
		keeper: k, execute: execute, log: log, started: time.Now(),
		events: make(chan func(), 64), stopped: make(chan struct{}), replies: make(map[uint64]chan keeper.Reply),
	}
}

// now is monotonic.
func (r *Runner) now() time.Duration { return time.Since(r.started) }

// Run drives the keeper until it exits. When ctx is done the keeper is asked to
// leave, which takes its drain timeout at most. Run must be called once.
func (r *Runner) Run(ctx context.Context) error {
	ops, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	r.ctx = ops
	defer close(r.stopped)
	r.handle(keeper.Tick{})
	timer := time.NewTimer(0)
	defer timer.Stop()
	leave := ctx.Done()
	for r.exit == nil {
		timer.Reset(max(0, r.keeper.Wake()-r.now()))
		select {
		case f := <-r.events:
			f()
		case <-timer.C:
			r.handle(keeper.Tick{})
		case <-leave:
			leave = nil
			r.handle(keeper.Shutdown{})
		}
	}
	return r.exit.Err
}

// handle gives the keeper one event and does what it wants.
func (r *Runner) handle(e keeper.Event) {
	for _, action := range r.keeper.Handle(r.now(), e) {
		switch a := action.(type) {
		case keeper.Do:
			r.do(a)
		case keeper.Reply:
			if reply := r.replies[a.ID]; reply != nil {
				delete(r.replies, a.ID)
				reply <- a
			}
		case keeper.Note:
			r.note(a)
		case keeper.Exit:
			r.exit = &a
		}
	}
}

// do starts an operation, or queues it where enough are running.
func (r *Runner) do(d keeper.Do) {
	_, urgent := d.Op.(lease.WorkerWrite)
	if !urgent && r.running >= maxRunning {
		r.queue = append(r.queue, d)
		return
	}
	if !urgent {
		r.running++
	}
	go func() {
		ctx, cancel := context.WithTimeout(r.ctx, wholeScan)
		defer cancel()
		answer := r.execute(ctx, d.Op)
		r.send(func() {
			if !urgent {
				r.running--
			}
			r.answered(d, answer)
			for len(r.queue) > 0 && r.running < maxRunning && r.exit == nil {
				next := r.queue[0]
				r.queue = r.queue[1:]
				r.do(next)
			}
		})
	}()
}

func (r *Runner) answered(d keeper.Do, a lease.Answer) {
	if a.Err != nil && (a.Outcome == lease.Unknown || a.Outcome == lease.Failed) {
		level := zerolog.DebugLevel
		if now := r.now(); r.warned == 0 || now-r.warned > warnEvery {
			level, r.warned = zerolog.WarnLevel, now
		}
		r.log.WithLevel(level).Err(a.Err).Str("outcome", a.Outcome.String()).Msg("an operation did not succeed; it is repeated")
	}
	r.handle(keeper.Answered{ID: d.ID, Answer: a})
}

// send has f run in the loop; false when the loop has ended.
func (r *Runner) send(f func()) bool {
	select {
	case r.events <- f:
		return true
	case <-r.stopped:
		return false
	}
}

// ask has f run in the loop and waits for its end.
func (r *Runner) ask(ctx context.Context, f func()) error {
	done := make(chan struct{})
	if !r.send(func() { f(); close(done) }) {
		return ErrStopped
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-r.stopped:
		return ErrStopped
	}
}

// Sync passes a consumer's call in and waits for its answer: a response or a
// refusal. When ctx is done first, the keeper is told that the caller is gone.
func (r *Runner) Sync(ctx context.Context, request contract.SyncRequest) (*contract.SyncResponse, *contract.Error, error) {
	reply := make(chan keeper.Reply, 1)
	ids := make(chan uint64, 1)
	if !r.send(func() {
		r.lastID++
		id := r.lastID
		r.replies[id] = reply
		ids <- id
		r.handle(keeper.Sync{ID: id, Request: request})
	}) {
		return nil, nil, ErrStopped
	}
	select {
	case a := <-reply:
		return a.Response, a.Refusal, nil
	case <-r.stopped:
		return nil, nil, ErrStopped
	case <-ctx.Done():
		r.send(func() {
			id := <-ids
			delete(r.replies, id)
			r.handle(keeper.SyncGone{ID: id})
		})
		return nil, nil, ctx.Err()
	}
}

// Status returns what the keeper knows. It fails when the loop does not turn.
func (r *Runner) Status(ctx context.Context) (contract.Status, error) {
	var s contract.Status
	err := r.ask(ctx, func() { s = r.keeper.Status(r.now()) })
	if err != nil {
		return contract.Status{}, err
	}
	return s, nil
}

// Counts returns the keeper's counters. It fails when the loop does not turn.
func (r *Runner) Counts(ctx context.Context) (keeper.Counts, error) {
	var c keeper.Counts
	err := r.ask(ctx, func() { c = r.keeper.Counts(r.now()) })
	if err != nil {
		return keeper.Counts{}, err
	}
	return c, nil
}

func (r *Runner) note(n keeper.Note) {
	level := map[keeper.Level]zerolog.Level{keeper.Debug: zerolog.DebugLevel, keeper.Info: zerolog.InfoLevel, keeper.Warn: zerolog.WarnLevel}[n.Level]
	line := r.log.WithLevel(level)
	for _, f := range n.Fields {
		line = line.Any(f.Name, f.Value)
	}
	if level >= r.log.GetLevel() {
		line.Msg(n.Message)
	}
}
