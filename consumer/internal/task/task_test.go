package task_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/handler"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/dispatch"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/keeper"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/keepertest"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/metrics"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/reader"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/shard"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/task"
)

// tap is a Reader that gives a record every interval, up to a number of them.
type tap struct {
	every time.Duration
	count int

	mu      sync.Mutex
	started []contract.Grant
}

func (p *tap) Run(ctx context.Context, g contract.Grant, sink reader.Sink) ([]contract.ChildShard, error) {
	p.mu.Lock()
	p.started = append(p.started, g)
	p.mu.Unlock()
	first := 1
	if g.Start.Type == contract.AtSequenceNumber {
		first, _ = strconv.Atoi(g.Start.Sequence)
	}
	for i := first; i <= p.count; i++ {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(p.every):
		}
		b := &reader.Batch{Records: []reader.Record{{Sequence: strconv.Itoa(i), PartitionKey: strconv.Itoa(i), Arrived: time.Now()}}}
		if err := sink.Accept(ctx, b, func() {}); err != nil {
			return nil, err
		}
	}
	return []contract.ChildShard{{Shard: "child", Parents: []string{g.Shard}}}, nil
}

// bench is a task beside a leasekeeper, in a bubble with its own clock.
type bench struct {
	t      *testing.T
	keeper *keepertest.Keeper
	tap    *tap
	task   *task.Task
	stop   context.CancelFunc
	ended  chan error
	began  time.Time

	deaf bool // the handler does not heed its context

	mu      sync.Mutex
	handled map[string]int
	last    time.Time // when a handler was last at work
}

const (
	ttl          = 6 * time.Second
	drainTimeout = 3 * time.Second
)

// arrange starts a task whose handler takes time, whatever its context says
// unless it ends.
func arrange(t *testing.T, p *tap, takes time.Duration) *bench {
	b := &bench{t: t, keeper: keepertest.New("w/1", ttl), tap: p, ended: make(chan error, 1), handled: map[string]int{}, began: time.Now()}
	process := func(ctx context.Context, batch []handler.Message, done func([]int)) {
		end := ctx.Done()
		if b.deaf {
			end = nil
		}
		select {
		case <-time.After(takes):
		case <-end:
			return
		}
		b.mu.Lock()
		b.handled[batch[0].Sequence]++
		b.last = time.Now()
		b.mu.Unlock()
		done(nil)
	}
	d := dispatch.New(dispatch.Options{Process: process, Limit: 100, BatchSize: 1, Queue: 1000, ShardQueue: 1000, Moved: func() { b.task.Moved() }})
	b.task = task.New(task.Options{
		Keeper: b.keeper, Shards: shard.Deps{Dispatcher: d, Reader: p, Observer: metrics.New(), Log: zerolog.Nop()},
		Consumer: "c", Version: "1", DrainTimeout: drainTimeout, Log: zerolog.Nop(),
	})
	ctx, stop := context.WithCancel(context.Background())
	b.stop = stop
	go func() { b.ended <- b.task.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		b.keeper.Down(false)
		select {
		case <-b.ended:
		case <-time.After(time.Hour):
			t.Error("the task does not end")
		}
		time.Sleep(time.Minute) // goroutines that wait for batches end
	})
	return b
}

func grant(generation int64) contract.Grant {
	return contract.Grant{Stream: "test", Shard: "s", Generation: generation, Start: contract.Start{Type: contract.TrimHorizon}}
}

// until waits, and returns how long it took.
func (b *bench) until(what string, ok func() bool) time.Duration {
	b.t.Helper()
	begin := time.Now()
	for !ok() {
		if time.Since(begin) > 5*time.Minute {
			b.t.Fatalf("waited five minutes for: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
	return time.Since(begin)
}

func (b *bench) within(what string, limit time.Duration, ok func() bool) {
	b.t.Helper()
	if took := b.until(what, ok); took > limit {
		b.t.Errorf("%s took %s, want %s at most", what, took, limit)
	}
}

func (b *bench) state() string { return b.keeper.Report(1).State }

func TestTask_GrantAndWithdrawal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := arrange(t, &tap{every: 10 * time.Millisecond, count: 1 << 30}, 5*time.Millisecond)
		time.Sleep(3 * time.Second) // idle
		b.keeper.Grant(grant(1))
		b.within("the start", 20*time.Millisecond, func() bool { return len(b.task.Shards()) == 1 })
		b.within("the first checkpoint", 500*time.Millisecond, func() bool { return b.keeper.Report(1).Checkpoint != nil })
		time.Sleep(10 * time.Second)
		b.keeper.Grant()
		b.within("draining", 50*time.Millisecond, func() bool { return b.state() == contract.Drained })
		r := b.keeper.Report(1)
		b.mu.Lock()
		defer b.mu.Unlock()
		if r.Checkpoint.Sequence != strconv.Itoa(len(b.handled)) {
			t.Errorf("got checkpoint %s, want all %d messages that were handled", r.Checkpoint.Sequence, len(b.handled))
		}
	})
}

// TestTask_Reports is about the cost of checkpoints: leasekeeper writes each.
func TestTask_Reports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := arrange(t, &tap{every: 10 * time.Millisecond, count: 1 << 30}, time.Millisecond)
		b.keeper.Grant(grant(1))
		time.Sleep(5 * time.Second)
		before := b.keeper.Requests()
		time.Sleep(60 * time.Second)
		if b.state() != contract.Reading || len(b.task.Shards()) != 1 {
			t.Error("reports kept the grant from being renewed")
		}
		if n := b.keeper.Requests() - before; n < 55 || n > 125 {
			t.Errorf("got %d syncs in a busy minute, want one or two a second", n)
		}
	})
}

func TestTask_ExpiresWithoutLeasekeeper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := arrange(t, &tap{every: 10 * time.Millisecond, count: 1 << 30}, 50*time.Millisecond)
		b.keeper.Grant(grant(1))
		time.Sleep(5 * time.Second)
		b.keeper.Down(true)
		down := time.Now()
		b.within("the end", ttl+20*time.Millisecond, func() bool { return len(b.task.Shards()) == 0 })
		time.Sleep(time.Minute)
		b.mu.Lock()
		last := b.last
		b.mu.Unlock()
		if after := last.Sub(down); after > ttl {
			t.Errorf("a message was handled %s after leasekeeper was gone, TTL %s", after, ttl)
		}
		b.keeper.Down(false)
		b.within("the report", 5*time.Second, func() bool { return b.state() == contract.Drained })
		b.keeper.Grant(grant(2))
		b.within("the new start", 5*time.Second, func() bool { return len(b.task.Shards()) == 1 })
	})
}

func TestTask_StuckHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := arrange(t, &tap{every: 10 * time.Millisecond, count: 5}, time.Hour) // heeds its context
		b.keeper.Grant(grant(1))
		b.until("the start", func() bool { return len(b.task.Shards()) == 1 })
		time.Sleep(time.Second)
		b.keeper.Grant()
		b.within("the end at the last expiry", ttl+100*time.Millisecond, func() bool { return b.state() == contract.Drained })
		if r := b.keeper.Report(1); r.Checkpoint != nil {
			t.Errorf("got checkpoint %+v, want none: nothing was done", r.Checkpoint)
		}
	})
}

func TestTask_ShardEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := arrange(t, &tap{every: time.Millisecond, count: 20}, 100*time.Millisecond)
		b.keeper.Grant(grant(1))
		b.within("the end", time.Second, func() bool { return b.state() == contract.Ended })
		r := b.keeper.Report(1)
		if r.Checkpoint.Sequence != "20" || len(r.Children) != 1 || len(b.handled) != 20 {
			t.Errorf("got %+v with %d messages handled, want ended at 20 with a child", r, len(b.handled))
		}
	})
}

func TestTask_LeasekeeperRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := arrange(t, &tap{every: 10 * time.Millisecond, count: 1 << 30}, time.Millisecond)
		b.keeper.Grant(grant(1))
		b.until("the start", func() bool { return b.keeper.Report(1).Checkpoint != nil })
		b.keeper.Restart("w/2", grant(2))
		b.within("the new start", 50*time.Millisecond, func() bool {
			b.tap.mu.Lock()
			defer b.tap.mu.Unlock()
			return len(b.tap.started) == 2
		})
		b.within("its checkpoint", 2*time.Second, func() bool { return b.keeper.Report(2).Checkpoint != nil })
	})
}

func TestTask_Drain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := arrange(t, &tap{every: 10 * time.Millisecond, count: 1 << 30}, 300*time.Millisecond)
		b.keeper.Grant(grant(1))
		time.Sleep(3 * time.Second)
		b.stop()
		begin := time.Now()
		err := <-b.ended
		b.ended <- err
		if took := time.Since(begin); err != nil || took > time.Second || took < 290*time.Millisecond {
			t.Errorf("got %v after %s, want no error once the messages in process are done", err, took)
		}
		r := b.keeper.Report(1)
		if !b.keeper.Draining() || r.State != contract.Drained || r.Checkpoint.Sequence != strconv.Itoa(len(b.handled)) {
			t.Errorf("got report %+v, %d handled", r, len(b.handled))
		}
	})
}

// TestTask_DrainDeadline has a handler that does not end in time.
func TestTask_DrainDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := arrange(t, &tap{every: 10 * time.Millisecond, count: 5}, time.Hour)
		b.keeper.Grant(grant(1))
		time.Sleep(time.Second)
		b.stop()
		begin := time.Now()
		err := <-b.ended
		b.ended <- err
		if took := time.Since(begin); !errors.Is(err, task.ErrUnfinished) || took != drainTimeout {
			t.Errorf("got %v after %s, want the deadline kept", err, took)
		}
	})
}

// TestTask_DrainWithoutLeasekeeper does not wait for one that never was there.
func TestTask_DrainWithoutLeasekeeper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := arrange(t, &tap{}, 0)
		b.keeper.Down(true)
		time.Sleep(time.Minute)
		b.stop()
		begin := time.Now()
		err := <-b.ended
		b.ended <- err
		if took := time.Since(begin); err != nil || took > 10*time.Second {
			t.Errorf("got %v after %s", err, took)
		}
	})
}

// TestTask_DrainAfterLeasekeeper: one that has died is told nothing once all it
// granted has run out. Until then it may come back, and hears the end.
func TestTask_DrainAfterLeasekeeper(t *testing.T) {
	for name, left := range map[string]time.Duration{"all has run out": -time.Minute, "not yet": 2 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := arrange(t, &tap{every: time.Hour, count: 1}, 0)
				b.keeper.Grant(grant(1))
				time.Sleep(3 * time.Second)
				sent := b.keeper.Requests()
				b.until("the last call", func() bool { return b.keeper.Requests() > sent })
				b.keeper.Refuse(errors.New("connection refused"))
				time.Sleep(ttl/4 + time.Millisecond) // it is answered
				time.Sleep(time.Until(b.keeper.Good().Add(-left)))
				b.stop()
				begin := time.Now()
				err := <-b.ended
				b.ended <- err
				if took := time.Since(begin); err != nil || took < left || took > max(left, 0)+700*time.Millisecond {
					t.Errorf("got %v after %s, want an end %s after SIGTERM", err, took, max(left, 0))
				}
			})
		})
	}
}

func TestTask_Resume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := arrange(t, &tap{every: time.Millisecond, count: 50}, time.Millisecond)
		g := grant(1)
		g.Start = contract.Start{Type: contract.AtSequenceNumber, Sequence: "30"}
		b.keeper.Grant(g)
		b.until("the end", func() bool { return b.state() == contract.Ended })
		if len(b.handled) != 20 || b.handled["30"] != 0 || b.handled["31"] != 1 {
			t.Errorf("got %s, want 31 to 50", fmt.Sprint(b.handled))
		}
	})
}

// TestTask_EmptyShardEnds reports a shard's end without a checkpoint when it
// never had a message.
func TestTask_EmptyShardEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := arrange(t, &tap{}, 0)
		b.keeper.Grant(grant(1))
		b.within("the end", 100*time.Millisecond, func() bool { return b.state() == contract.Ended })
		if r := b.keeper.Report(1); r.Checkpoint != nil || len(r.Children) != 1 {
			t.Errorf("got %+v, want ended with a child and no checkpoint", r)
		}
	})
}

// TestTask_EndWaitsForMessages does not report children while a message of
// their parent is in process, nor when the grant is withdrawn before it is done.
func TestTask_EndWaitsForMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := arrange(t, &tap{every: time.Millisecond, count: 3}, time.Hour)
		b.keeper.Grant(grant(1))
		time.Sleep(time.Minute)
		if r := b.keeper.Report(1); r.State != contract.Reading || r.Children != nil {
			t.Errorf("got %+v while messages are in process, want it reading", r)
		}
		b.keeper.Grant()
		b.within("the end", ttl+time.Second, func() bool { return b.state() == contract.Drained })
		if r := b.keeper.Report(1); r.Children != nil || r.Checkpoint != nil {
			t.Errorf("got %+v, want drained with nothing done", r)
		}
	})
}

// TestTask_NewGenerationWaits starts a newer grant of a shard when the older
// one's messages are out of the handlers.
func TestTask_NewGenerationWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := arrange(t, &tap{every: time.Millisecond, count: 1 << 30}, 2*time.Second)
		b.keeper.Grant(grant(1))
		time.Sleep(9 * time.Second) // the messages in process take one more
		b.keeper.Grant(grant(2))
		time.Sleep(500 * time.Millisecond)
		if n := len(b.task.Shards()); n != 1 || b.state() != contract.Reading {
			t.Errorf("got %d grants at work, the old one %s, want it alone", n, b.state())
		}
		b.within("the new one", 2*time.Second, func() bool { return b.keeper.Report(2).State == contract.Reading })
		if b.state() != contract.Drained {
			t.Errorf("the old one is %s, want it drained", b.state())
		}
	})
}

// TestTask_HandlerIgnoresItsContext gives a shard up though a handler does not
// return, and says nothing of what it may still do.
func TestTask_HandlerIgnoresItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := arrange(t, &tap{every: time.Millisecond, count: 3}, time.Hour)
		b.deaf = true
		b.keeper.Grant(grant(1))
		time.Sleep(time.Second)
		b.keeper.Grant()
		b.within("the end", ttl+20*time.Second, func() bool { return b.state() == contract.Drained })
		if r := b.keeper.Report(1); r.Checkpoint != nil {
			t.Errorf("got %+v, want drained with nothing done", r)
		}
		time.Sleep(time.Hour)
	})
}

// TestTask_AnotherConsumer waits while leasekeeper refuses it for the sake of a
// consumer that is still draining.
func TestTask_AnotherConsumer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := arrange(t, &tap{every: time.Millisecond, count: 1 << 30}, 0)
		b.keeper.Refuse(keeper.ErrConflict)
		b.keeper.Grant(grant(1))
		before := b.keeper.Requests()
		time.Sleep(time.Minute)
		if n := b.keeper.Requests() - before; b.task.Reached() || n < 60 || n > 1000 {
			t.Errorf("got %d tries in a minute, reached %v, want it to keep trying, gently", n, b.task.Reached())
		}
		b.keeper.Refuse(nil)
		b.within("the start", 2*time.Second, func() bool { return b.state() == contract.Reading })
	})
}

// TestTask_CountsFromSending ends a grant its TTL after it was asked for, however
// long the answer was under way.
func TestTask_CountsFromSending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := arrange(t, &tap{every: 10 * time.Millisecond, count: 1 << 30}, 5*time.Millisecond)
		b.keeper.Lag(500 * time.Millisecond)
		b.keeper.Grant(grant(1))
		time.Sleep(20 * time.Second)
		b.keeper.Down(true)
		b.until("the end", func() bool { return len(b.task.Shards()) == 0 })
		b.mu.Lock()
		defer b.mu.Unlock()
		if after := b.last.Sub(b.keeper.Good()); after > 0 || after < -3*time.Second {
			t.Errorf("a message was handled %s after the grant's end", after)
		}
	})
}
