package dispatch_test

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/handler"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/dispatch"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/position"
)

// stuck is a Process that has everything done at once but messages of the key
// "stuck", which wait for free.
type stuck struct{ free chan struct{} }

func (s *stuck) process(_ context.Context, batch []handler.Message, done func([]int)) {
	for i := range batch {
		if batch[i].PartitionKey == "stuck" {
			<-s.free
		}
		done([]int{i})
	}
}

func (s *stuck) options() dispatch.Options {
	return dispatch.Options{Process: s.process, Limit: 100, BatchSize: 1, Queue: 1000, ShardQueue: 256}
}

// TestRun_LetsGoOfAnswers keeps nothing of an answer whose messages are all done
// or passed, however long a message before them takes.
func TestRun_LetsGoOfAnswers(t *testing.T) {
	s := &stuck{free: make(chan struct{})}
	o := s.options()
	o.Unfinished = 100_000
	r := dispatch.New(o).Open(t.Context())
	answer := func(n int, key string) []handler.Message { // its strings share the memory of 1 MiB
		body := strconv.Itoa(1_000_000+n) + strings.Repeat("x", 1<<20)
		return []handler.Message{{Sequence: body[:7], PartitionKey: key, Data: []byte(body[7:8])}}
	}
	if err := r.Admit(t.Context(), answer(0, "stuck"), nil); err != nil {
		t.Fatal(err)
	}
	before := heap()
	var released atomic.Int64
	const answers = 64
	for n := 1; n <= answers; n++ {
		if err := r.Admit(t.Context(), answer(n, strconv.Itoa(n)), func() { released.Add(1) }); err != nil {
			t.Fatal(err)
		}
		passed := answer(n, "")[0]
		r.Pass(position.Position{Sequence: passed.Sequence, Sub: 1}, time.Time{})
	}
	for deadline := time.Now().Add(10 * time.Second); released.Load() < answers; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d answers are done", released.Load(), answers)
		}
	}
	if grown := heap() - before; grown > answers<<20/8 {
		t.Errorf("the heap has grown by %d MiB for %d answers of 1 MiB that are done", grown>>20, answers)
	}
	close(s.free)
	r.Finish()
	<-r.Idle()
	if got := r.State().Mark; got.Sequence != strconv.Itoa(1_000_000+answers) || got.Sub != 1 {
		t.Errorf("got mark %v, want the last position", got)
	}
}

// heap returns the bytes on the heap that are in use.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestRun_Unfinished has a shard go on behind a message that is not done for so
// many messages and no more, each shard for its part; and be read on from there.
func TestRun_Unfinished(t *testing.T) {
	for name, tc := range map[string]struct{ closed, shards, want int }{
		"one shard":                    {0, 1, 3000},
		"three shards":                 {0, 3, 1000},
		"one of three is left":         {2, 1, 3000},
		"a shard's queue at the least": {0, 20, 256},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &stuck{free: make(chan struct{})}
				o := s.options()
				o.Unfinished = 3000
				d := dispatch.New(o)
				for range tc.closed {
					d.Open(t.Context()).Finish()
				}
				var runs []*dispatch.Run
				for range tc.shards {
					runs = append(runs, d.Open(t.Context()))
				}
				for _, r := range runs {
					go func() {
						for n := range 5000 {
							m := number(n, 1)
							if n == 0 {
								m.PartitionKey = "stuck"
							}
							_ = r.Admit(context.Background(), []handler.Message{m}, nil)
						}
						r.Finish()
					}()
				}
				synctest.Wait()
				for i, r := range runs {
					if got := r.State().Unfinished; got != tc.want {
						t.Errorf("shard %d: got %d messages in mind, want %d", i, got, tc.want)
					}
				}
				close(s.free)
				for _, r := range runs {
					<-r.Idle()
					if got := r.State().Mark.Sequence; got != "4999" {
						t.Errorf("got mark %s, want the last message", got)
					}
				}
				time.Sleep(time.Minute) // goroutines that wait for batches end
			})
		})
	}
}

// TestRun_StopWhileFar wakes an Admit that waits for a message that is not done.
func TestRun_StopWhileFar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stuck{free: make(chan struct{})}
		r := dispatch.New(s.options()).Open(t.Context())
		ended := make(chan error, 1)
		go func() {
			var err error
			for n := 0; n < 10_000 && err == nil; n++ {
				m := number(n, 1)
				if n == 0 {
					m.PartitionKey = "stuck"
				}
				err = r.Admit(context.Background(), []handler.Message{m}, nil)
			}
			ended <- err
		}()
		synctest.Wait()
		r.Stop()
		if err := <-ended; !errors.Is(err, dispatch.ErrStopped) {
			t.Errorf("got error %v, want that of a Run that was stopped", err)
		}
		close(s.free)
		<-r.Idle()
		time.Sleep(time.Minute) // goroutines that wait for batches end
	})
}
