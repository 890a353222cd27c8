package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"pgregory.net/rapid"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/handler"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/attempt"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/dispatch"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/term"
)

// world is a dispatcher with a handler that misbehaves at random, and the rules
// that must hold whatever it does.
type world struct {
	limit   int
	size    int
	ordered bool

	mu       sync.Mutex
	random   *rand.Rand
	inside   int
	finished map[string]bool // by message ID: handled without error, or buried
	handling map[string]bool // by shard and key
	runs     map[string]*grant
	problems []string
}

// grant is one shard's grant, and what was admitted of it.
type grant struct {
	term     *term.Term
	run      *dispatch.Run
	stopped  bool
	admitted []handler.Message
}

func (w *world) problem(format string, args ...any) {
	w.problems = append(w.problems, fmt.Sprintf(format, args...))
}

func (w *world) BatchSize() int { return w.size }

// Handle implements handler.Handler.
func (w *world) Handle(ctx context.Context, batch []handler.Message) error {
	w.enter(batch)
	w.mu.Lock()
	delay := time.Duration(w.random.IntN(50)) * time.Millisecond
	fate := w.random.IntN(12)
	w.mu.Unlock()
	select {
	case <-time.After(delay):
	case <-ctx.Done():
		w.leave(batch, nil)
		return ctx.Err()
	}
	switch fate {
	case 0:
		w.leave(batch, nil)
		return errors.New("all failed")
	case 1:
		w.leave(batch, nil)
		panic("handler")
	case 2:
		w.leave(batch, nil)
		return handler.Unavailable(errors.New("throttled"))
	case 3:
		w.leave(batch, batch[1:])
		return handler.Failed{0: handler.Permanent(errors.New("too large"))}
	case 4:
		w.leave(batch, batch[:len(batch)-1])
		return handler.Failed{len(batch) - 1: errors.New("one failed")}
	}
	w.leave(batch, batch)
	return nil
}

func lane(m handler.Message) string { return m.Shard + "|" + m.PartitionKey }

func (w *world) enter(batch []handler.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.inside += len(batch)
	if w.inside > w.limit {
		w.problem("%d messages in process, limit %d", w.inside, w.limit)
	}
	if len(batch) > w.size {
		w.problem("batch of %d, size %d", len(batch), w.size)
	}
	for _, m := range batch {
		g := w.runs[m.Shard]
		if !time.Now().Before(g.term.Until()) {
			w.problem("%s handled after its grant's end", m.ID())
		}
		if w.finished[m.ID()] {
			w.problem("%s handled after it was done", m.ID())
		}
		if !w.ordered {
			continue
		}
		if w.handling[lane(m)] {
			w.problem("%s handled beside another of its key", m.ID())
		}
		w.handling[lane(m)] = true
		for _, before := range g.admitted {
			if before.ID() == m.ID() {
				break
			}
			if before.PartitionKey == m.PartitionKey && !w.finished[before.ID()] {
				w.problem("%s handled before %s was done", m.ID(), before.ID())
			}
		}
	}
}

func (w *world) leave(batch, good []handler.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.inside -= len(batch)
	for _, m := range batch {
		delete(w.handling, lane(m))
	}
	for _, m := range good {
		w.finished[m.ID()] = true
	}
}

// Bury implements attempt.Burier.
func (w *world) Bury(_ context.Context, l attempt.Letter) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.random.IntN(3) == 0 {
		return errors.New("no grave")
	}
	w.finished[l.Message.ID()] = true
	return nil
}

// check compares a watermark with what is done. The contiguous part must be
// reported exactly once nothing is in process any more.
func (w *world) check(g *grant, exact bool) {
	mark := g.run.State().Mark
	w.mu.Lock()
	defer w.mu.Unlock()
	contiguous := 0
	for _, m := range g.admitted {
		if !w.finished[m.ID()] {
			break
		}
		contiguous++
	}
	reached := 0
	for i, m := range g.admitted {
		if m.Sequence == mark.Sequence && m.SubSequence == mark.Sub {
			reached = i + 1
		}
	}
	if reached > contiguous || exact && reached != contiguous {
		w.problem("watermark after %d messages, %d are done without a gap (exact %v)", reached, contiguous, exact)
	}
}

// feed admits random messages to one shard, and ends it in a random way.
func (w *world) feed(g *grant, shard string, p plan) {
	ctx, cancel := context.WithCancel(g.term)
	defer cancel()
	stop := time.AfterFunc(p.Withdraw, func() {
		w.mu.Lock()
		g.stopped = true
		w.mu.Unlock()
		g.run.Stop()
		cancel()
	})
	defer stop.Stop()
	defer context.AfterFunc(g.term, func() { g.run.Stop() })()
	var admits, releases atomic.Int64
	for done := 0; done < p.Count; {
		w.mu.Lock()
		n := min(1+w.random.IntN(8), p.Count-done)
		var some []handler.Message
		for i := range n {
			some = append(some, handler.Message{
				Shard: shard, Sequence: strconv.Itoa(1000 + (done+i)/3), SubSequence: int64((done + i) % 3),
				PartitionKey: strconv.Itoa(w.random.IntN(p.Keys)), ArrivedAt: time.Now(),
			})
		}
		g.admitted = append(g.admitted, some...)
		w.mu.Unlock()
		done += n
		admits.Add(1)
		if err := g.run.Admit(ctx, some, func() { releases.Add(1) }); err != nil {
			break
		}
		if p.Extend {
			g.term.Extend(time.Now().Add(time.Second))
		}
		w.check(g, false)
	}
	g.run.Finish()
	<-g.run.Idle()
	g.run.Stop()
	w.check(g, true)
	if a, r := admits.Load(), releases.Load(); a != r {
		w.problem("%d admissions, %d released", a, r)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !g.stopped && g.term.Err() == nil {
		for _, m := range g.admitted {
			if !w.finished[m.ID()] {
				w.problem("%s was never done", m.ID())
			}
		}
	}
	g.term.End(errors.New("over"))
}

// TestDispatcher is the property test: order within a key, the limits, the
// watermark (it never passes an unfinished message), and nothing after a
// grant's end, with random delays, failures, panics, withdrawals and expiries.
func TestDispatcher(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := &world{
			limit: rapid.IntRange(1, 12).Draw(rt, "limit"), size: rapid.IntRange(1, 5).Draw(rt, "size"),
			ordered: rapid.Bool().Draw(rt, "ordered"), random: rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0)),
			finished: map[string]bool{}, handling: map[string]bool{}, runs: map[string]*grant{},
		}
		plans := rapid.SliceOfN(rapid.Custom(drawPlan), 1, 3).Draw(rt, "shards")
		synctest.Test(t, func(*testing.T) { w.run(plans) })
		for _, p := range w.problems {
			rt.Error(p)
		}
	})
}

// plan is what happens to one shard.
type plan struct {
	Count, Keys   int
	Withdraw, TTL time.Duration
	Extend        bool
}

func drawPlan(rt *rapid.T) plan {
	p := plan{
		Count: rapid.IntRange(0, 80).Draw(rt, "count"), Keys: rapid.IntRange(1, 20).Draw(rt, "keys"),
		Withdraw: time.Duration(rapid.IntRange(0, 2000).Draw(rt, "withdraw")) * time.Millisecond,
		TTL:      time.Duration(rapid.IntRange(1, 2000).Draw(rt, "ttl")) * time.Millisecond,
		Extend:   rapid.Bool().Draw(rt, "extend"),
	}
	if rapid.Bool().Draw(rt, "kept") {
		p.Withdraw, p.TTL = time.Hour, time.Hour
	}
	return p
}

func (w *world) run(plans []plan) {
	policy := &attempt.Policy{
		Handler: w, MaxAttempts: 4, MaxAge: time.Second, Graves: w, Log: zerolog.Nop(),
		MinBackoff: 10 * time.Millisecond, MaxBackoff: 100 * time.Millisecond,
	}
	d := dispatch.New(dispatch.Options{
		Process: policy.Process, Limit: w.limit, BatchSize: w.size, BatchBytes: 1 << 20, Linger: 5 * time.Millisecond,
		Unordered: !w.ordered, Queue: 300, ShardQueue: 260,
	})
	var feeds sync.WaitGroup
	for i, p := range plans {
		shard := "shard-" + strconv.Itoa(i)
		tm := term.New(context.Background(), time.Now().Add(p.TTL))
		g := &grant{term: tm, run: d.Open(tm)}
		w.mu.Lock()
		w.runs[shard] = g
		w.mu.Unlock()
		feeds.Go(func() { w.feed(g, shard, p) })
	}
	feeds.Wait()
	synctest.Wait()
	time.Sleep(time.Minute) // by the bubble's clock: goroutines that wait for batches end
	if n := d.InProcess(); n != 0 {
		w.problem("%d messages in process at the end", n)
	}
}
