package keeper_test

import (
	"errors"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/held"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/keeper"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// unreadable damages what b says it holds in every scan that a makes.
func unreadable(w *world, a, b *node) {
	w.fault = func(n *node, op lease.Op, execute executeFunc, answer answerFunc) bool {
		if _, scan := op.(lease.ScanWorkers); !scan || n != a {
			return false
		}
		got := execute()
		for i, row := range got.Workers {
			if row.ID == b.k.Worker() {
				damaged := *row
				damaged.Held, damaged.HeldErr = nil, errors.New("held is damaged")
				got.Workers[i] = &damaged
			}
		}
		answer(time.Millisecond, got)
		return true
	}
}

// A worker whose `held` cannot be read keeps its leases in the plans of others,
// and they are taken over when it leaves or dies as they always are.
func TestHeld_Unreadable(t *testing.T) {
	for name, end := range map[string]func(w *world, b *node){
		"leaves": func(w *world, b *node) { w.at(w.now, func() { b.handle(keeper.Shutdown{}) }) },
		"dies":   func(w *world, b *node) { w.kill(b) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "s0", "s1", "s2", "s3", "s4")
			b := w.add("bb")
			w.run(time.Second)
			a := w.add("a")
			w.run(time.Minute)
			before := len(a.k.Status(w.now).Moves)
			unreadable(w, a, b)
			w.run(2 * time.Minute)
			if got := spread(w); got["a"] != 2 || got["bb"] != 3 {
				t.Fatalf("got %v, want the odd one where it was", got)
			}
			status := a.k.Status(w.now)
			if !status.Ready || len(status.Moves) != before {
				t.Errorf("got ready %v (%s) and %d moves, want a calm fleet", status.Ready, status.Reason, len(status.Moves)-before)
			}
			for _, l := range status.Leases {
				if l.State != contract.LeaseHeld || l.PlannedFor != "" {
					t.Errorf("got %+v, want it held by its owner, planned for nobody else", l)
				}
			}
			for _, worker := range status.Workers {
				if want := map[bool]int{true: 3, false: 2}[worker.Worker == b.k.Worker()]; worker.Leases != want {
					t.Errorf("got %+v, want %d leases", worker, want)
				}
			}
			if got := warnings(a, b.k.Worker()); got != 1 {
				t.Errorf("got %d warnings that name the worker, want 1", got)
			}
			end(w, b)
			w.run(10500 * time.Millisecond)
			if got := spread(w); got["a"] != 5 {
				t.Errorf("got %v, want everything at a within D + H + 0.5 s", got)
			}
		})
	}
}

// warnings counts those that name peer.
func warnings(n *node, peer string) int {
	count := 0
	for _, note := range n.notes {
		for _, f := range note.Fields {
			if note.Level == keeper.Warn && f.Name == "peer" && f.Value == peer {
				count++
			}
		}
	}
	return count
}

// Loads are published as the table keeps them, so that a worker plans its own
// leases with the very numbers its peers read.
func TestHeld_Rounded(t *testing.T) {
	w := newWorld(t, "s0")
	a := w.add("a")
	a.c.rate, a.c.lag = 1_234_567, 12_345
	w.run(time.Minute)
	for _, row := range w.workers {
		got, err := held.Decode(held.Encode(row.Held))
		if err != nil || len(got) != 1 || got[0] != row.Held[0] || got[0].BytesPerSecond == 0 || got[0].LagMillis == 0 {
			t.Errorf("got %+v, %v of %+v, want the same", got, err, row.Held)
		}
	}
}
