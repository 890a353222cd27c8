package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/shard"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/task"
)

const (
	watchEvery = time.Second
	// unanswered is how long leasekeeper may be silent before the consumer
	// calls itself not ready: a few syncs.
	unanswered = 10 * time.Second
	// stuck is how long the watch itself may stand still before the process
	// counts as dead.
	stuck = 30 * time.Second
)

// watch looks at the shards once a second, and knows which stand still.
type watch struct {
	task   *task.Task
	stall  time.Duration // without progress, of a shard with unfinished messages
	unread time.Duration // without an answer of Kinesis, of a shard without

	mu   sync.Mutex
	seen map[*shard.Shard]progress
	last snapshot
	at   time.Time
}

// progress is how far a shard was done, and since when it has been that far.
type progress struct {
	began time.Time // when the watch first saw the shard
	moves uint64
	since time.Time
}

type snapshot struct {
	shards, stalled int
	stalledShard    string
	lagMS           int64
	oldest          time.Duration
}

// newWatch returns a watch. pollWait is the most between two polls.
func newWatch(t *task.Task, stall, pollWait time.Duration) *watch {
	return &watch{task: t, stall: stall, unread: stall + slowPolls*pollWait, seen: map[*shard.Shard]progress{}, at: time.Now()}
}

func (w *watch) run(ctx context.Context) {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		w.look(time.Now())
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (w *watch) look(now time.Time) {
	shards := w.task.Shards()
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := make(map[*shard.Shard]progress, len(shards))
	next := snapshot{shards: len(shards)}
	for _, s := range shards {
		state, p := s.State(), w.seen[s]
		if p.began.IsZero() {
			p.began = now
		}
		if p.since.IsZero() || state.Moves != p.moves || state.Unfinished == 0 {
			p.moves, p.since = state.Moves, now
		}
		seen[s] = p
		if now.Sub(p.since) >= w.stall || state.Unfinished == 0 && now.Sub(later(p.began, s.Read())) >= w.unread {
			next.stalled++
			next.stalledShard, _ = s.Key()
		}
		if !state.Oldest.IsZero() {
			next.oldest = max(next.oldest, now.Sub(state.Oldest))
		}
		next.lagMS = max(next.lagMS, s.Progress().LagMS)
	}
	w.seen, w.last, w.at = seen, next, now
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (w *watch) snapshot() snapshot {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last
}

// live fails when the process itself is stuck.
func (w *watch) live() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if silent := time.Since(w.at); silent > stuck {
		return fmt.Errorf("nothing has moved for %s", silent.Round(time.Second))
	}
	return nil
}

// ready fails when leasekeeper is silent, and when a shard has work and makes
// no progress, or cannot be read.
func (w *watch) ready() error {
	answered := w.task.Answered()
	switch {
	case answered.IsZero():
		return errors.New("leasekeeper has not answered yet")
	case time.Since(answered) > unanswered:
		return fmt.Errorf("leasekeeper has not answered for %s", time.Since(answered).Round(time.Second))
	}
	if s := w.snapshot(); s.stalled > 0 {
		return fmt.Errorf("%d shards stand still, %s among them", s.stalled, s.stalledShard)
	}
	return nil
}
