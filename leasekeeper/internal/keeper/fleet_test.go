package keeper_test

import (
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/keeper"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

func spread(w *world) map[string]int {
	counts := map[string]int{}
	for _, name := range w.holders() {
		counts[name]++
	}
	return counts
}

// One task alone serves everything within a second of its start.
func TestFleet_OneTask(t *testing.T) {
	w := newWorld(t, "s0", "s1", "s2")
	w.add("a")
	w.run(time.Second)
	if got := spread(w); got["a"] != 3 {
		t.Fatalf("got %v, want all three shards at a", got)
	}
}

// Three tasks share three shards evenly and then nothing moves (I5).
func TestFleet_Balances(t *testing.T) {
	w := newWorld(t, "s0", "s1", "s2")
	w.add("a")
	w.run(time.Second)
	w.add("b")
	w.add("c")
	w.run(40 * time.Second)
	if got := spread(w); got["a"] != 1 || got["b"] != 1 || got["c"] != 1 {
		t.Fatalf("got %v, want one shard each", got)
	}
	var before int64
	for _, row := range w.leases {
		before += row.Counter
	}
	w.run(10 * time.Minute)
	var after int64
	for _, row := range w.leases {
		after += row.Counter
	}
	if after != before {
		t.Errorf("generations moved from %d to %d in a steady fleet", before, after)
	}
}

// A task that dies is replaced within D + H + 0.5 s (I4).
func TestFleet_Crash(t *testing.T) {
	w := newWorld(t, "s0", "s1", "s2")
	a, _, _ := w.add("a"), w.add("b"), w.add("c")
	w.run(time.Minute)
	w.kill(a)
	w.run(10500 * time.Millisecond)
	if got := w.holders(); len(got) != 3 {
		t.Fatalf("got %v, want every shard held", got)
	}
}

// SIGTERM hands everything over, signs off and exits without an error (rule 9).
func TestFleet_Leave(t *testing.T) {
	w := newWorld(t, "s0", "s1", "s2")
	a := w.add("a")
	w.run(time.Second)
	w.add("b")
	w.run(time.Second)
	w.at(w.now, func() { a.handle(keeper.Shutdown{}) })
	w.run(4 * time.Second)
	if !a.exited || a.err != nil {
		t.Fatalf("got exited %v with %v, want a clean exit", a.exited, a.err)
	}
	if got := spread(w); got["b"] != 3 {
		t.Errorf("got %v, want all shards at b", got)
	}
	if row := w.workers[a.k.Worker()]; row != nil && row.State != lease.Evicted {
		t.Errorf("got row %+v, want EVICTED", row)
	}
}

// I4: who evicts a worker claims what is planned for one that has begun too late
// to watch it die, and would learn of it by its next scan.
func TestFleet_LateComerIsNotWaitedFor(t *testing.T) {
	w := newWorld(t, "s0", "s1", "s2", "s3", "s4", "s5")
	a, b := w.add("a"), w.add("bb")
	w.run(2 * time.Minute)
	dead, had := b.k.Worker(), b.c.shards()
	w.kill(b)
	w.run(6 * time.Second)
	c := w.add("ccc")
	w.until(t, 10*time.Second, func() bool { return w.workers[dead].State == lease.Evicted })
	w.run(50 * time.Millisecond)
	for _, shard := range had {
		if owner := w.leases[shard].Owner; owner != a.k.Worker() {
			t.Errorf("%s is owned by %s, want %s to have it", shard, owner, a.k.Worker())
		}
	}
	w.run(time.Minute)
	if len(had) != 3 || len(a.c.holds) != 3 || len(c.c.holds) != 3 {
		t.Errorf("got %v of %v, later %v and %v, want three each", had, dead, a.c.shards(), c.c.shards())
	}
}

// until lets time pass until done, at most limit.
func (w *world) until(t *testing.T, limit time.Duration, done func() bool) {
	t.Helper()
	for end := w.now + limit; !done(); w.run(time.Millisecond) {
		if w.now > end {
			t.Fatalf("not within %v", limit)
		}
	}
}
