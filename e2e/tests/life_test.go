package e2e_test

import (
	"sync"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
)

// TestLife starts a system, drains all of it in the middle of a run, starts it
// anew and expects it to go on where it was.
func TestLife(t *testing.T) {
	t.Parallel()
	s := start(t, cluster.Options{Lease: shortLease})
	const count = 3_000
	tasks := s.startTasks(2)
	producer := s.produce(count, 600)
	s.until("a third was read", func() bool { return s.delivered() > count/3 })
	stopped := time.Now()
	var wg sync.WaitGroup
	for _, task := range tasks {
		wg.Go(func() {
			if err := task.Stop(stopTimeout); err != nil {
				t.Errorf("stop %s: %v", task.Name, err)
			}
		})
	}
	wg.Wait()
	t.Logf("two tasks stopped within %s", time.Since(stopped).Round(time.Millisecond))
	s.startTasks(1)
	s.finished(producer)
	if got := s.verify(count); got.Duplicated != 0 {
		t.Errorf("got %d messages twice, want none", got.Duplicated)
	}
	if got := s.overwrites(); got != 0 {
		t.Errorf("got %d items written again after a drain, want none", got)
	}
}

// TestLife_ConsumerRestart kills each half of a task alone; the other half stays
// and takes it back.
func TestLife_ConsumerRestart(t *testing.T) {
	t.Parallel()
	s := start(t, cluster.Options{Lease: shortLease})
	task := s.startTasks(1)[0]
	producer := s.produce(0, 500)
	halves := map[string]struct{ kill, start func() }{
		"consumer": {
			kill: func() { task.Consumer().Kill() },
			start: func() {
				if err := task.StartConsumer(t.Context()); err != nil {
					t.Fatal(err)
				}
			},
		},
		"leasekeeper": {
			kill: func() { task.Leasekeeper().Kill() },
			start: func() {
				if err := task.StartLeasekeeper(t.Context()); err != nil {
					t.Fatal(err)
				}
			},
		},
	}
	for _, half := range []string{"consumer", "leasekeeper"} {
		before := s.delivered()
		s.until("reading goes on", func() bool { return s.delivered() > before })
		halves[half].kill()
		killed := time.Now()
		halves[half].start()
		s.until("it reads again after the restart of the "+half, func() bool {
			return len(s.Tap.Takeovers(killed.Add(shortLease/4), "nobody", s.shards())) == len(s.shards())
		})
		t.Logf("%s killed and started again: read again after %s", half, time.Since(killed).Round(time.Millisecond))
	}
	if err := producer.Stop(stopTimeout); err != nil {
		t.Fatal(err)
	}
	s.verify(1)
}

func (s *system) delivered() int {
	total := 0
	for _, n := range s.Tap.Delivered() {
		total += n
	}
	return total
}

// shards returns the shards read so far.
func (s *system) shards() []string {
	last := s.Tap.LastReads()
	out := make([]string, 0, len(last))
	for shard := range last {
		out = append(out, shard)
	}
	return out
}
