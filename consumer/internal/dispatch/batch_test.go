package dispatch_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/handler"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/dispatch"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/term"
)

// call is one call of the handler.
type call struct {
	at       time.Time
	messages []handler.Message
}

// slow is a Process that takes some time, and remembers.
type slow struct {
	takes time.Duration
	mu    sync.Mutex
	calls []call
}

func (s *slow) process(ctx context.Context, batch []handler.Message, done func([]int)) {
	s.mu.Lock()
	s.calls = append(s.calls, call{time.Now(), append([]handler.Message{}, batch...)})
	s.mu.Unlock()
	select {
	case <-time.After(s.takes):
		done(nil)
	case <-ctx.Done():
	}
}

func (s *slow) options() dispatch.Options {
	return dispatch.Options{
		Process: s.process, Limit: 100, BatchSize: 25, BatchBytes: 1 << 20, Linger: 5 * time.Millisecond,
		Queue: 1000, ShardQueue: 1000,
	}
}

// number returns message n, of a key of its own.
func number(n, size int) handler.Message {
	return handler.Message{Shard: "s", Sequence: strconv.Itoa(n), PartitionKey: strconv.Itoa(n), Data: make([]byte, size)}
}

// admit has a grant's messages handled, each some time after the one before.
func admit(o dispatch.Options, apart time.Duration, messages ...handler.Message) {
	r := dispatch.New(o).Open(context.Background())
	for _, m := range messages {
		_ = r.Admit(context.Background(), []handler.Message{m}, nil)
		time.Sleep(apart)
	}
	r.Finish()
	<-r.Idle()
	time.Sleep(time.Minute) // goroutines that wait for batches end
}

// TestDispatcher_PacksBatches fills batches while others are in process.
func TestDispatcher_PacksBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{takes: 50 * time.Millisecond}
		var list []handler.Message
		for i := range 1000 {
			list = append(list, number(i, 100))
		}
		admit(s.options(), 100*time.Microsecond, list...) // 10 000 a second
		if n := len(s.calls); n > 60 {
			t.Errorf("got %d calls for 1000 messages, want 60 at most: nearly full batches of 25", n)
		}
	})
}

// TestDispatcher_WaitsLittle does not wait for messages that may not come.
func TestDispatcher_WaitsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{takes: 20 * time.Millisecond}
		begin := time.Now()
		admit(s.options(), 10*time.Millisecond, number(0, 1), number(1, 1), number(2, 1))
		for i, want := range []time.Duration{0, 15 * time.Millisecond, 25 * time.Millisecond} {
			if waited := s.calls[i].at.Sub(begin); waited > want {
				t.Errorf("message %d was handled after %s, want %s at most", i, waited, want)
			}
		}
	})
}

// TestDispatcher_BatchBytes bounds the payload of batches of more than one.
func TestDispatcher_BatchBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{takes: time.Millisecond}
		o := s.options()
		o.Limit = 25
		admit(o, 0, number(0, 1), number(1, 600<<10), number(2, 300<<10), number(3, 10<<20), number(4, 500<<10), number(5, 500<<10))
		handled := 0
		for _, c := range s.calls {
			size := 0
			for _, m := range c.messages {
				size += len(m.Data)
			}
			if handled += len(c.messages); size > 1<<20 && len(c.messages) > 1 {
				t.Errorf("got %d messages of %d bytes in a batch, want 1 MiB at most", len(c.messages), size)
			}
		}
		if handled != 6 {
			t.Errorf("got %d messages handled, want all 6", handled)
		}
	})
}

// TestDispatcher_EndsByTheClock hands out nothing after a grant's end, also in
// the moment before the end of its context is noticed.
func TestDispatcher_EndsByTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{}
		d := dispatch.New(s.options())
		passed := stopped{context.Background()}
		r := d.Open(passed)
		if err := r.Admit(context.Background(), []handler.Message{number(0, 1)}, nil); err != nil {
			t.Fatal(err)
		}
		r.Stop()
		<-r.Idle()
		if len(s.calls) != 0 || !r.State().Mark.IsZero() {
			t.Errorf("got %d calls, mark %v, want nothing handled", len(s.calls), r.State().Mark)
		}
	})
}

// stopped is a context whose time has passed, with Done not closed yet.
type stopped struct{ context.Context }

func (stopped) Err() error { return context.DeadlineExceeded }

// TestDispatcher_HandlerIgnoresItsContext takes what a handler does after the
// grant's end as done, and gives the handler nothing more.
func TestDispatcher_HandlerIgnoresItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		o := (&slow{}).options()
		o.BatchSize, o.Limit = 1, 1
		o.Process = func(_ context.Context, _ []handler.Message, done func([]int)) {
			calls++
			time.Sleep(time.Hour)
			done(nil)
		}
		d := dispatch.New(o)
		grant := term.New(context.Background(), time.Now().Add(time.Second))
		r := d.Open(grant)
		released := 0
		_ = r.Admit(grant, []handler.Message{number(0, 1), number(1, 1), number(2, 1)}, func() { released++ })
		<-grant.Done()
		r.Stop()
		select {
		case <-r.Idle():
			t.Error("idle while a handler is at work")
		case <-time.After(time.Minute):
		}
		<-r.Idle()
		if calls != 1 || r.State().Mark.Sequence != "0" || released != 1 || d.InProcess() != 0 {
			t.Errorf("got %d calls, mark %v, released %d times, want the one message done", calls, r.State().Mark, released)
		}
		grant.End(errors.New("over"))
		time.Sleep(time.Minute)
	})
}

// TestDispatcher_Queue admits no more than a queue's worth while nothing is
// handled, of one shard and of all together.
func TestDispatcher_Queue(t *testing.T) {
	for shards, want := range map[int]int{1: 300, 3: 600} {
		synctest.Test(t, func(t *testing.T) { fill(t, shards, want) })
	}
}

func fill(t *testing.T, shards, want int) {
	t.Helper()
	s := &slow{takes: time.Hour}
	o := s.options()
	o.Queue, o.ShardQueue, o.Unfinished = 600, 300, 1<<16
	d := dispatch.New(o)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	admitted := make([]int, shards)
	var feeds sync.WaitGroup
	for shard := range admitted {
		r := d.Open(ctx)
		feeds.Go(func() {
			for r.Admit(ctx, []handler.Message{number(admitted[shard], 1)}, nil) == nil {
				admitted[shard]++
			}
			r.Stop()
		})
	}
	feeds.Wait()
	total := 0
	for _, n := range admitted {
		if total += n; n > 300 {
			t.Errorf("got %d messages of one shard admitted, want 300 at most", n)
		}
	}
	if total != want {
		t.Errorf("got %d messages of %d shards admitted, want %d", total, shards, want)
	}
	time.Sleep(time.Minute)
}
