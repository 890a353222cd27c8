package keeper_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/keeper"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// A fleet is named by its tables here: "leases/workers".
func tablesOf(name, leases, workers string) keeper.Config {
	cfg := config(name)
	cfg.LeaseTable, cfg.WorkerTable = leases, workers
	return cfg
}

// otherWorkerTable has every node whose worker table is not "workers" use one of its own.
func (w *world) otherWorkerTable(of map[*node]bool) *world {
	other := newWorld(w.t)
	w.fault = func(n *node, op lease.Op, _ executeFunc, answer answerFunc) bool {
		if !of[n] {
			return false
		}
		switch op.(type) {
		case lease.WorkerWrite, lease.StreamWrite, lease.ScanWorkers:
			w.at(w.now+time.Millisecond, func() { answer(time.Millisecond, other.execute(op)) })
			return true
		}
		return false
	}
	return other
}

func warned(n *node, about string) bool {
	for _, note := range n.notes {
		if note.Level == keeper.Warn && strings.Contains(note.Message+fmt.Sprint(note.Fields), about) {
			return true
		}
	}
	return false
}

// S16: a task with the fleet's lease table and another worker table stops before
// it claims or evicts anything, however idle the fleet is; and may start when the
// fleet has left.
func TestBelonging_OtherWorkerTable(t *testing.T) {
	w := newWorld(t, "s0", "s1", "s2")
	others := map[*node]bool{}
	other := w.otherWorkerTable(others)
	a := w.addAlone(tablesOf("a", "leases", "workers"))
	a.attach()
	w.run(20 * time.Second)
	before := fmt.Sprint(*w.leases["s0"], *w.leases["s1"], *w.leases["s2"])
	b := w.addAlone(tablesOf("bb", "leases", "renamed"))
	others[b] = true
	b.attach()
	w.run(2 * time.Second)
	if !b.exited || b.err == nil || !strings.Contains(b.err.Error(), "in use by the fleet of the worker table workers") {
		t.Fatalf("got exited %v with %v, want a refusal that names the other table", b.exited, b.err)
	}
	w.run(3 * time.Minute)
	if after := fmt.Sprint(*w.leases["s0"], *w.leases["s1"], *w.leases["s2"]); after != before || a.exited {
		t.Errorf("got %s, want %s: nothing of the fleet is touched", after, before)
	}
	for id, row := range other.workers {
		if row.State == lease.Evicted {
			t.Errorf("%s was evicted", id)
		}
	}
	w.at(w.now, func() { a.handle(keeper.Shutdown{}) })
	w.run(10 * time.Second)
	c := w.addAlone(tablesOf("ccc", "leases", "renamed"))
	others[c] = true
	c.attach()
	w.run(20 * time.Second)
	if got := spread(w); got["ccc"] != 3 {
		t.Errorf("got %v, want everything at the new fleet once the old one has left", got)
	}
}

// S16: fleets that begin on an empty lease table at the same time cannot see each
// other then. No shard is read by both, now or later, and both say so.
func TestBelonging_BothBegin(t *testing.T) {
	w := newWorld(t, "s0", "s1", "s2", "s3")
	others := map[*node]bool{}
	w.otherWorkerTable(others)
	a := w.addAlone(tablesOf("a", "leases", "workers"))
	b := w.addAlone(tablesOf("bb", "leases", "renamed"))
	others[b] = true
	for i := range 4 { // half each
		s := fmt.Sprintf("s%d", i)
		n, first := a, "workers"
		if i%2 > 0 {
			n, first = b, "renamed"
		}
		w.at(300*time.Millisecond, func() {
			row := *w.leases[s]
			row.Owner, row.Counter, row.WorkerTable = n.k.Worker(), row.Counter+1, first
			w.leases[s] = &row
		})
	}
	w.run(time.Second)
	a.attach()
	b.attach()
	w.run(3 * time.Minute)
	if got := spread(w); got["a"] != 2 || got["bb"] != 2 {
		t.Errorf("got %v, want each to read what is its own", got)
	}
	if !warned(a, "another fleet's") || !warned(b, "another fleet's") {
		t.Errorf("got %v and %v, want both warned", a.notes, b.notes)
	}
	w.kill(b)
	w.run(2 * time.Minute)
	if row := w.workers[b.k.Worker()]; row != nil {
		t.Errorf("got %+v, want nobody judged who has his row elsewhere", row)
	}
	w.workers[b.k.Worker()] = &lease.Worker{ID: b.k.Worker(), Counter: 1, State: lease.Evicted} // of a copied table
	w.run(2 * time.Minute)
	if got := spread(w); got["a"] != 2 {
		t.Errorf("got %v, want the other's leases left alone: who of it lives cannot be known", got)
	}
}

// S16: a task with the fleet's worker table and another lease table stops.
func TestBelonging_OtherLeaseTable(t *testing.T) {
	w := newWorld(t, "s0")
	w.addAlone(tablesOf("a", "leases", "workers")).attach()
	w.run(2 * time.Second)
	b := w.addAlone(tablesOf("bb", "renamed", "workers"))
	w.run(2 * time.Second)
	if !b.exited || b.err == nil || !strings.Contains(b.err.Error(), "belongs to the lease table leases") {
		t.Errorf("got exited %v with %v, want a refusal that names the other table", b.exited, b.err)
	}
	if got := w.leases["s0"].Counter; got != 1 {
		t.Errorf("got generation %d, want 1", got)
	}
}

// A `#stream` row that does not name the lease table gets its name from whoever
// sees it first, and nothing is claimed before; the loser of two stops.
func TestBelonging_Unnamed(t *testing.T) {
	w := newWorld(t, "s0")
	w.stream = &lease.Stream{ARN: w.listing.ARN, CreatedAt: w.listing.CreatedAt, ShardMapVersion: 1, InitialPosition: lease.TrimHorizon}
	w.fault = func(_ *node, op lease.Op, _ executeFunc, answer answerFunc) bool {
		if write, ok := op.(lease.StreamWrite); !ok || write.LeaseTable == "" || w.now > 5*time.Second {
			return false
		}
		answer(time.Millisecond, lease.Answer{Outcome: lease.Unknown})
		return true
	}
	a := w.addAlone(tablesOf("a", "leases", "workers"))
	a.attach()
	w.run(5 * time.Second)
	if got := w.holders(); len(got) != 0 {
		t.Errorf("got %v before the tables are known to go together", got)
	}
	b := w.addAlone(tablesOf("bb", "renamed", "workers"))
	w.run(7 * time.Second)
	if a.exited == b.exited {
		t.Fatalf("got exited %v and %v, want one of the two", a.exited, b.exited)
	}
	if want := map[bool]string{true: "leases", false: "renamed"}[b.exited]; w.stream.LeaseTable != want {
		t.Errorf("got %q, want %q", w.stream.LeaseTable, want)
	}
}

// A worker table that is lost while its fleet runs, or while nobody does, costs
// no more than a lease's duration: it is the same table, by its name.
func TestBelonging_WorkerTableLost(t *testing.T) {
	for _, running := range []bool{true, false} {
		w := newWorld(t, "s0", "s1", "s2")
		a := w.addAlone(tablesOf("a", "leases", "workers"))
		a.attach()
		w.run(20 * time.Second)
		if !running {
			w.kill(a)
			a = w.addAlone(tablesOf("bb", "leases", "workers"))
			a.attach()
		}
		w.workers, w.stream = map[string]*lease.Worker{}, nil
		w.run(15 * time.Second)
		if got := w.holders(); len(got) != 3 {
			t.Errorf("running %v: got %v, want everything read again", running, got)
		}
		if !warned(a, "no row in the worker table") {
			t.Errorf("running %v: got %v, want a warning", running, a.notes)
		}
	}
}
