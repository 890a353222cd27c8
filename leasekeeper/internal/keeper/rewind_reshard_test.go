package keeper_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// reader returns the task whose consumer reads shard; nil: nobody.
func (w *world) reader(shard string) *node {
	for _, n := range w.nodes {
		if n.c != nil && n.c.holds[shard] != nil && w.holders()[shard] == n.name {
			return n
		}
	}
	return nil
}

// ends has whoever reads shard report its end.
func (w *world) ends(shard string, children ...string) {
	w.t.Helper()
	n := w.reader(shard)
	if n == nil {
		w.t.Fatalf("%s: nobody reads it, got %v", shard, w.holders())
	}
	n.end(shard, children...)
	w.run(20 * time.Second)
}

// resharded is a fleet that has read p to its end, then its child a, and reads b,
// a1 and a2. The returned function fails the test when one of them is read
// while what is above it is not finished.
func resharded(t *testing.T) *world {
	w := newWorld(t, "p")
	w.add("a")
	w.add("bb")
	w.run(30 * time.Second)
	w.listing.Shards = append(w.listing.Shards, lease.Shard{ID: "a", Parents: []string{"p"}}, lease.Shard{ID: "b", Parents: []string{"p"}},
		lease.Shard{ID: "a1", Parents: []string{"a"}}, lease.Shard{ID: "a2", Parents: []string{"a"}})
	w.ends("p", "a", "b")
	w.ends("a", "a1", "a2")
	w.progress("77")
	w.expect("a1", "a2", "b")
	return w
}

func (w *world) expect(shards ...string) {
	w.t.Helper()
	if got := w.holders(); len(got) != len(shards) {
		w.t.Errorf("%v: got %v read, want %v", w.now, got, shards)
	}
	for _, shard := range shards {
		if w.reader(shard) == nil {
			w.t.Errorf("%v: %s is not read, got %v", w.now, shard, w.holders())
		}
	}
}

// begins checks where the reader of shard began.
func (w *world) begins(shard string, start string) {
	w.t.Helper()
	if n := w.reader(shard); n == nil || n.c.holds[shard].start.Type != start {
		w.t.Errorf("%s: got %v, want it read from %s", shard, w.holders(), start)
	}
}

// passes plays the second pass: p, then what is below it, each from the beginning
// and none before its parent has ended again (I3).
func (w *world) passes() {
	w.t.Helper()
	w.expect("p")
	w.begins("p", contract.TrimHorizon)
	w.ends("p", "a", "b")
	w.expect("a", "b")
	w.begins("a", contract.TrimHorizon)
	w.begins("b", contract.TrimHorizon)
	w.ends("a", "a1", "a2")
	w.expect("a1", "a2", "b")
	w.begins("a1", contract.TrimHorizon)
	for shard, row := range w.leases {
		if row.Rewound == 0 {
			w.t.Errorf("%s: got %+v, want it rewound", shard, row)
		}
	}
}

// A rewind to before a reshard: the finished shards are read again, oldest first,
// what is below them waits, and whatever was named comes along.
func TestRewind_AcrossReshard(t *testing.T) {
	for name, shards := range map[string][]string{"all named": {"a", "a1", "a2", "b", "p"}, "the oldest alone": {"p"}} {
		t.Run(name, func(t *testing.T) {
			w := resharded(t)
			w.rewind(lease.TrimHorizon, shards...)
			w.run(15 * time.Second)
			status := w.nodes[0].k.Status(w.now)
			for _, l := range status.Leases {
				if want := map[string]string{"p": contract.LeaseHeld}[l.Shard]; l.State != want && (want != "" || l.State != contract.LeaseWaiting) {
					t.Errorf("%s: got status %s", l.Shard, l.State)
				}
			}
			w.passes()
		})
	}
}

// The request may be gone when the children's time comes: their rows say what they wait for.
func TestRewind_RowsSayWhatTheyWaitFor(t *testing.T) {
	w := resharded(t)
	w.rewind("42", "a")
	w.run(15 * time.Second)
	w.ask(false)
	late := w.add("late")
	w.run(30 * time.Second)
	w.expect("a", "b")
	if h := w.reader("a").c.holds["a"]; h.start.Sequence != "42" {
		t.Errorf("got %+v, want 42", h.start)
	}
	w.ends("a", "a1", "a2")
	w.expect("a1", "a2", "b")
	w.begins("a1", contract.TrimHorizon)
	if w.leases["b"].Rewound != 0 || late.k.Worker() == "" {
		t.Errorf("got %+v, want b untouched", w.leases["b"])
	}
}

// Killed after each of its writes, with the answer lost, before or after it lands:
// the other worker goes on from the rows.
func TestRewind_KilledAtEachStep(t *testing.T) {
	for step := range 5 {
		for _, lands := range []bool{true, false} {
			t.Run(fmt.Sprintf("step %d, landed %v", step, lands), func(t *testing.T) {
				w := resharded(t)
				seen := 0
				w.fault = func(n *node, op lease.Op, execute executeFunc, _ answerFunc) bool {
					write, ok := op.(lease.LeaseWrite)
					if !ok || write.Change == nil || write.Change.Rewind == nil {
						return false
					}
					if seen++; seen != step+1 {
						return false
					}
					if lands {
						execute()
					} else { // long after everything
						w.at(w.now+5*time.Minute, func() { execute() })
					}
					w.kill(n)
					return true
				}
				w.rewind(lease.TrimHorizon, "a", "a1", "a2", "b", "p")
				w.run(40 * time.Second)
				w.passes()
				w.run(6 * time.Minute)
				w.expect("a1", "a2", "b")
				if seen <= step {
					t.Errorf("got %d writes, want more than %d", seen, step)
				}
			})
		}
	}
}

// A shard that is split after it was asked for, and before it is rewound, is read
// again with its children, which nobody named.
func TestRewind_SplitMeanwhile(t *testing.T) {
	w := resharded(t)
	w.listing.Shards = append(w.listing.Shards, lease.Shard{ID: "b1", Parents: []string{"b"}}, lease.Shard{ID: "b2", Parents: []string{"b"}})
	w.reader("b").end("b", "b1", "b2")
	w.run(20 * time.Millisecond)
	w.rewind(lease.TrimHorizon, "a1", "b")
	w.run(30 * time.Second)
	w.expect("a1", "a2", "b")
	w.begins("b", contract.TrimHorizon)
	w.begins("a1", contract.TrimHorizon)
	w.ends("b", "b1", "b2")
	w.expect("a1", "a2", "b1", "b2")
	if w.leases["b1"].Rewound != 0 && w.leases["b1"].Behind["b"] == 0 {
		t.Errorf("got %+v, want it to have waited", w.leases["b1"])
	}
}

// Of two merged shards one is read again: the child waits for that one alone.
func TestRewind_OneOfTwoParents(t *testing.T) {
	w := newWorld(t, "p", "q")
	w.add("a")
	w.run(30 * time.Second)
	w.listing.Shards = append(w.listing.Shards, lease.Shard{ID: "m", Parents: []string{"p", "q"}})
	w.ends("p", "m")
	w.ends("q", "m")
	w.expect("m")
	w.rewind(lease.AtTimestamp, "p")
	w.run(15 * time.Second)
	w.expect("p")
	w.ends("p", "m")
	w.expect("m")
	w.begins("m", contract.AtTimestamp)
	if row := w.leases["q"]; !row.Finished() || row.Rewound != 0 {
		t.Errorf("got %+v, want it untouched", row)
	}
}

// In a paused fleet nothing is rewound; when it is resumed, nothing is read that
// is not.
func TestRewind_Paused(t *testing.T) {
	w := resharded(t)
	w.ask(true)
	w.run(5 * time.Second)
	w.rewind(lease.TrimHorizon, "a", "a1", "a2", "b", "p")
	w.run(time.Minute)
	for shard, row := range w.leases {
		if row.Rewound != 0 {
			t.Errorf("%s: got %+v while paused, want nothing rewound", shard, row)
		}
	}
	w.stream.Requests++
	resumed := *w.stream
	resumed.Paused = false
	w.stream = &resumed
	w.run(20 * time.Second)
	w.passes()
	for shard, row := range w.leases {
		if row.Checkpoint.Sequence == "77" {
			t.Errorf("%s: got %+v", shard, row)
		}
	}
}

// A second rewind while the first is being read: what waits goes on waiting, from
// the new position.
func TestRewind_AfterRewind(t *testing.T) {
	w := resharded(t)
	w.rewind(lease.AtTimestamp, "a", "a1", "a2", "b", "p")
	w.run(15 * time.Second)
	w.ends("p", "a", "b")
	w.expect("a", "b")
	w.rewind(lease.TrimHorizon, "a", "a1", "a2", "b", "p")
	w.run(20 * time.Second)
	w.passes()
	for shard, row := range w.leases {
		if row.Rewound != w.stream.Rewind.ID {
			t.Errorf("%s: got %+v, want the second rewind on it", shard, row)
		}
	}
}

// A claim that is refused, because the row was rewound meanwhile, obeys the row it
// met: it looks at the parents again, wherever the row is to be read from.
func TestRewind_RefusedClaimLooksAtTheParents(t *testing.T) {
	for _, to := range []string{lease.TrimHorizon, "42"} {
		t.Run(to, func(t *testing.T) {
			w := resharded(t)
			victim := w.reader("b")
			w.kill(victim)
			met := false
			w.fault = func(_ *node, op lease.Op, _ executeFunc, _ answerFunc) bool {
				write, ok := op.(lease.LeaseWrite)
				if !ok || met || write.Shard != "b" || write.Change == nil {
					return false
				}
				met = true
				b, p := *w.leases["b"], *w.leases["p"]
				b.Owner, b.Counter, b.Checkpoint.Sequence, b.Rewound, b.Behind = "", b.Counter+1, to, 5, map[string]int64{"p": 5}
				p.Counter, p.Checkpoint.Sequence, p.Rewound = p.Counter+1, lease.TrimHorizon, 5
				w.leases["b"], w.leases["p"] = &b, &p
				w.listing.Shards = []lease.Shard{{ID: "p"}, {ID: "b", Parents: []string{"p"}}} // the others are not of this test
				return false
			}
			w.run(30 * time.Second)
			if w.reader("b") != nil || !met {
				t.Errorf("got b read (refused %v) while its parent is %+v", met, w.leases["p"])
			}
			w.run(2 * time.Minute)
			w.ends("p", "b")
			if w.reader("b") == nil {
				t.Errorf("got %v, want b read after p", w.holders())
			}
		})
	}
}

// A scan is no snapshot: a shard that ends while the rows are read may be among
// them without its children, which somebody reads by then. It is not taken back.
func TestRewind_EndsWhileTheRowsAreRead(t *testing.T) {
	w := newWorld(t, "p", "q")
	w.add("a")
	w.add("bb")
	w.run(time.Minute)
	unaware := w.reader("p")
	w.listing.Shards = append(w.listing.Shards, lease.Shard{ID: "c", Parents: []string{"q"}}, lease.Shard{ID: "b", Parents: []string{"p"}})
	w.ends("q", "c")
	reads := &node{w: w, name: "somebody"}
	torn := false
	w.fault = func(n *node, op lease.Op, _ executeFunc, answer answerFunc) bool {
		if _, scan := op.(lease.ScanWorkers); scan && n == unaware {
			answer(time.Second, lease.Answer{Outcome: lease.Unknown}) // of the rewind
			return true
		}
		if _, scan := op.(lease.ScanLeases); !scan || torn || n == unaware || w.stream.Rewind == nil {
			return false
		}
		torn = true
		p := *w.leases["p"]
		p.Owner, p.Counter, p.Checkpoint = "", p.Counter+1, lease.Checkpoint{Sequence: lease.ShardEnd}
		rows := []*lease.Row{&p, w.leases["q"], w.leases["c"]}
		w.leases["p"], w.leases["b"] = &p, &lease.Row{Shard: "b", Owner: "somebody/0000000a", Counter: 1, Parents: []string{"p"},
			Checkpoint: lease.Checkpoint{Sequence: "5"}}
		w.grants["b"] = grantee{reads, w.now + time.Hour}
		w.workers["somebody/0000000a"] = &lease.Worker{ID: "somebody/0000000a", State: lease.Active, Duration: time.Minute}
		answer(time.Millisecond, lease.Answer{Outcome: lease.Applied, Leases: rows})
		return true
	}
	w.rewind(lease.TrimHorizon, "p", "q")
	w.run(20 * time.Second)
	if row := w.leases["p"]; !torn || !row.Finished() {
		t.Errorf("got %+v (torn scan %v), want it finished while its child is read", row, torn)
	}
}
