package e2e_test

import (
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/measure"
)

// longestGap is for a machine that does other things too; the figures of a machine
// of one's own stand in docs/RELIABILITY.md.
const longestGap = 5 * time.Second

// TestScale goes from one task to three and back to one under load: no message
// is lost, and none is handled twice.
func TestScale(t *testing.T) {
	t.Parallel()
	s := start(t, cluster.Options{Lease: shortLease})
	s.startTasks(1)
	producer := s.produce(0, 400)
	s.scaleUpAndDown()
	if err := producer.Stop(stopTimeout); err != nil {
		t.Fatal(err)
	}
	s.judgeHandoffs()
}

// TestScale_Defaults does the same with the default settings.
func TestScale_Defaults(t *testing.T) {
	t.Parallel()
	long(t)
	s := start(t, cluster.Options{})
	s.startTasks(1)
	producer := s.produce(0, 400)
	s.scaleUpAndDown()
	if err := producer.Stop(stopTimeout); err != nil {
		t.Fatal(err)
	}
	s.judgeHandoffs()
}

func (s *system) scaleUpAndDown() {
	s.t.Helper()
	for range 2 {
		s.addTask()
	}
	s.spread(3)
	for _, task := range s.Tasks()[:2] {
		stopped := time.Now()
		if err := task.Stop(stopTimeout); err != nil {
			s.t.Errorf("stop %s: %v", task.Name, err)
		}
		s.t.Logf("%s left within %s", task.Name, time.Since(stopped).Round(time.Millisecond))
	}
	s.allRead()
	s.spread(1)
}

// judgeHandoffs checks that every handoff of the run was graceful: one task did not
// read before the other had stopped, and most did not take the lease that it takes
// to find a task dead.
func (s *system) judgeHandoffs() {
	s.t.Helper()
	s.verify(1)
	handoffs := s.Tap.Handoffs(time.Time{})
	gaps := make(measure.Durations, 0, len(handoffs))
	for _, h := range handoffs {
		gaps = append(gaps, h.Gap)
		if h.Gap < 0 {
			s.t.Errorf("%s was read by %s %s before %s had stopped", h.Shard, h.To, -h.Gap, h.From)
		}
	}
	s.t.Logf("handoffs: n | min | p50 | p90 | p99 | max = %s", gaps.Row())
	if len(gaps) == 0 || gaps.Quantile(0.5) >= s.lease {
		s.t.Errorf("got a median gap of %s in %d handoffs, want less than a lease, %s", gaps.Quantile(0.5), len(gaps), s.lease)
	}
	if got := s.overwrites(); got != 0 {
		s.t.Errorf("got %d items written again, want none", got)
	}
}

// TestRolling replaces every task under load, one after the other, the new one
// first: what a deployment does.
func TestRolling(t *testing.T) {
	t.Parallel()
	s := start(t, cluster.Options{Lease: shortLease})
	s.startTasks(3)
	producer := s.produce(0, 400)
	s.spread(3)
	s.replaceAll((*cluster.Task).Stop)
	if err := producer.Stop(stopTimeout); err != nil {
		t.Fatal(err)
	}
	s.judgeHandoffs()
}

// TestRolling_ConsumerFirst replaces tasks whose consumer depends on the
// leasekeeper: ECS then stops the consumer first.
func TestRolling_ConsumerFirst(t *testing.T) {
	t.Parallel()
	s := start(t, cluster.Options{Lease: shortLease})
	s.startTasks(2)
	producer := s.produce(0, 400)
	s.spread(2)
	s.replaceAll((*cluster.Task).StopInOrder)
	if err := producer.Stop(stopTimeout); err != nil {
		t.Fatal(err)
	}
	s.judgeHandoffs()
}

func (s *system) replaceAll(stop func(*cluster.Task, time.Duration) error) {
	s.t.Helper()
	began := time.Now()
	for _, old := range s.Tasks() {
		fresh := s.addTask()
		s.until(fresh.Name+" is ready", func() bool {
			status, err := fresh.Status(s.t.Context())
			return err == nil && status.Ready
		})
		if err := stop(old, stopTimeout); err != nil {
			s.t.Errorf("stop %s: %v", old.Name, err)
		}
		s.allRead()
	}
	for shard, gap := range s.Tap.LongestGap(began, time.Now(), s.shards()) {
		s.t.Logf("%s: longest time without a read %s", shard, gap.Round(time.Millisecond))
		if gap > longestGap {
			s.t.Errorf("%s was not read for %s, want at most %s", shard, gap, longestGap)
		}
	}
}
