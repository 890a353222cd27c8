package keeper_test

import (
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// rewind asks for one.
func (w *world) rewind(to string, shards ...string) {
	w.t.Helper()
	seen := w.stream.Requests
	a := w.execute(lease.StreamWrite{Request: &lease.StreamRequest{Seen: seen, Paused: w.stream.Paused, Released: w.stream.Released,
		Rewind: &lease.Rewind{ID: seen + 1, To: to, At: time.Unix(7000, 0), Shards: shards}}})
	if a.Outcome != lease.Applied {
		w.t.Fatalf("rewind: got %v", a.Outcome)
	}
}

// progress has the consumers report a checkpoint for every shard they read.
func (w *world) progress(sequence string) {
	for _, n := range w.nodes {
		for _, h := range n.c.holds {
			h.checkpoint = &contract.Checkpoint{Sequence: sequence}
		}
	}
	w.run(5 * time.Second)
}

// Each lease that is named is rewound once, in a new generation; the others are
// not touched, and what is done from then on stays.
func TestRewind_Once(t *testing.T) {
	w := newWorld(t, "s0", "s1", "s2")
	w.add("a")
	w.add("bb")
	w.run(time.Minute)
	w.progress("77")
	before := map[string]int64{}
	for shard, row := range w.leases {
		before[shard] = row.Counter
	}
	w.rewind(lease.AtTimestamp, "s0", "s1")
	w.run(3 * time.Second)
	for _, shard := range []string{"s0", "s1"} {
		row := w.leases[shard]
		if row.Checkpoint.Sequence != lease.AtTimestamp || !row.InitialTimestamp.Equal(time.Unix(7000, 0)) || row.Counter != before[shard]+1 || row.Rewound != 1 {
			t.Errorf("%s: got %+v, want it rewound in the generation after %d", shard, row, before[shard])
		}
	}
	if row := w.leases["s2"]; row.Checkpoint.Sequence != "77" || row.Counter != before["s2"] {
		t.Errorf("s2: got %+v, want it untouched", row)
	}
	for _, n := range w.nodes {
		for shard, h := range n.c.holds {
			if shard != "s2" && (h.start.Type != contract.AtTimestamp || h.start.TimestampMS != 7000_000) {
				t.Errorf("%s: got start %+v, want the time asked for", shard, h.start)
			}
		}
		if got := w.workers[n.k.Worker()].Requests; got != 1 {
			t.Errorf("%s: got request %d carried out, want 1", n.name, got)
		}
	}
	w.progress("5")
	w.run(10 * time.Minute)
	for shard, row := range w.leases {
		if shard != "s2" && (row.Checkpoint.Sequence != "5" || row.Counter != before[shard]+1) {
			t.Errorf("%s: got %+v, want what was done since kept", shard, row)
		}
	}
}

// S1: a checkpoint of before the rewind that lands late changes nothing.
func TestRewind_LateCheckpoint(t *testing.T) {
	w := newWorld(t, "s0")
	w.add("a")
	w.run(time.Minute)
	late := false
	w.fault = func(_ *node, op lease.Op, execute executeFunc, answer answerFunc) bool {
		write, ok := op.(lease.LeaseWrite)
		if late || !ok || write.Change == nil || write.Change.Checkpoint == nil || write.Change.Counter != write.If.Counter {
			return false
		}
		late = true
		w.at(w.now+20*time.Second, func() {
			if a := execute(); a.Outcome != lease.Refused {
				t.Errorf("got the late checkpoint %v, want it refused", a.Outcome)
			}
		})
		answer(time.Second, lease.Answer{Outcome: lease.Unknown})
		w.rewind(lease.TrimHorizon, "s0")
		return true
	}
	w.progress("77")
	w.run(30 * time.Second)
	if row := w.leases["s0"]; !late || row.Rewound != 1 {
		t.Errorf("got %+v, want it rewound", row)
	}
}

// The lease of a worker that dies before it has carried the request out is
// rewound by whoever claims it; a write whose answer was lost is not made again.
func TestRewind_DeadOwnerAndLostAnswer(t *testing.T) {
	w := newWorld(t, "s0", "s1")
	a := w.add("a")
	b := w.add("bb")
	w.run(time.Minute)
	w.progress("77")
	w.kill(a)
	lost := 0
	w.fault = func(_ *node, op lease.Op, execute executeFunc, answer answerFunc) bool {
		write, ok := op.(lease.LeaseWrite)
		if !ok || write.Change == nil || write.Change.Rewind == nil || lost >= 2 {
			return false
		}
		lost++
		execute()
		answer(time.Second, lease.Answer{Outcome: lease.Unknown})
		return true
	}
	w.rewind("33", "s0", "s1")
	w.run(30 * time.Second)
	for _, shard := range []string{"s0", "s1"} {
		row, h := w.leases[shard], b.c.holds[shard]
		if row.Rewound != 1 || row.Checkpoint.Sequence != "33" || h == nil || h.start.Sequence != "33" {
			t.Errorf("%s: got %+v read from %+v, want 33", shard, row, h)
		}
	}
	if lost != 2 {
		t.Errorf("got %d lost answers, want both leases rewound by a write without one", lost)
	}
}

// Who claims the lease of a dead worker rewinds it in the claim: nothing of what
// the rewind leaves behind is read in between.
func TestRewind_InTheClaim(t *testing.T) {
	w := newWorld(t, "s0", "s1")
	a := w.add("a")
	w.add("bb")
	w.run(time.Minute)
	w.progress("77")
	w.kill(a)
	before := map[string]int64{}
	for shard, row := range w.leases {
		before[shard] = row.Counter
	}
	w.rewind(lease.TrimHorizon, "s0", "s1")
	w.run(15 * time.Second)
	for shard, row := range w.leases {
		if row.Counter != before[shard]+1 || row.Rewound != 1 {
			t.Errorf("%s: got %+v, want it rewound in the one generation after %d", shard, row, before[shard])
		}
	}
}
