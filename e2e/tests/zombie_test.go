package e2e_test

import (
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/proc"
)

// TestZombie stops a process for longer than the lease (SIGSTOP) and lets it go
// on (SIGCONT): others must have taken its shards, and it must not read them, nor
// write a checkpoint, on the strength of what it held before.
func TestZombie(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*cluster.Task) []*proc.Process{
		"consumer":    func(task *cluster.Task) []*proc.Process { return []*proc.Process{task.Consumer()} },
		"leasekeeper": func(task *cluster.Task) []*proc.Process { return []*proc.Process{task.Leasekeeper()} },
		"task":        func(task *cluster.Task) []*proc.Process { return []*proc.Process{task.Consumer(), task.Leasekeeper()} },
	}
	for name, who := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, cluster.Options{Lease: shortLease})
			tasks := s.startTasks(2)
			producer := s.produce(0, 400)
			s.spread(2)
			zombie := tasks[0]
			shards := s.ReadBy(zombie, fresh)
			s.pauseAndResume(zombie, who(zombie), shards)
			before := s.delivered()
			s.until("reading goes on", func() bool { return s.delivered() > before+500 })
			if err := producer.Stop(stopTimeout); err != nil {
				t.Fatal(err)
			}
			s.verify(1)
			t.Logf("%d items written again, which is what a crash may cost", s.overwrites())
		})
	}
}

// pauseAndResume stops the processes until others read the shards and two
// leases have gone by, and watches what the zombie reads when it goes on.
func (s *system) pauseAndResume(zombie *cluster.Task, processes []*proc.Process, shards []string) {
	s.t.Helper()
	paused := time.Now()
	for _, p := range processes {
		if err := p.Pause(); err != nil {
			s.t.Fatal(err)
		}
	}
	taken, err := s.WaitTakeover(s.t.Context(), zombie, paused, shards, patience)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Logf("%v read by others %s after the pause", shards, cluster.Slowest(taken).Round(time.Millisecond))
	s.until("two leases have gone by", func() bool { return time.Since(paused) > 2*shortLease })
	resumed := time.Now()
	for _, p := range processes {
		if err := p.Resume(); err != nil {
			s.t.Fatal(err)
		}
	}
	s.until("half a lease has gone by", func() bool { return time.Since(resumed) > shortLease/2 })
	for _, read := range s.Tap.Reads(paused.Add(shortLease * 3 / 2)) {
		late := read.Sent.Before(resumed.Add(shortLease / 2))
		if late && read.Client == zombie.Name+"-consumer" && !s.handedOver(read.Shard, zombie, resumed) {
			s.t.Errorf("the zombie read %s %s after it went on, want no read", read.Shard, read.Sent.Sub(resumed))
		}
	}
}

// handedOver tells whether a shard's reader has stayed the zombie since it went
// on: a shard given to it anew is its own to read.
func (s *system) handedOver(shard string, zombie *cluster.Task, since time.Time) bool {
	for _, read := range s.Tap.Reads(since) {
		if read.Shard == shard && read.Client != zombie.Name+"-consumer" {
			return false
		}
	}
	return true
}
