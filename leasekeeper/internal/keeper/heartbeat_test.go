package keeper_test

import (
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/keeper"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

type executeFunc = func() lease.Answer
type answerFunc = func(time.Duration, lease.Answer)

// isBeat tells whether op is a heartbeat.
func isBeat(op lease.Op) bool {
	w, ok := op.(lease.WorkerWrite)
	return ok && w.Put != nil
}

// isClaim tells whether op makes a new generation with an owner.
func isClaim(op lease.Op) bool {
	w, ok := op.(lease.LeaseWrite)
	return ok && w.Change != nil && w.Change.Owner != "" && w.Change.Counter > w.If.Counter
}

// isRelease tells whether op gives a lease up.
func isRelease(op lease.Op) bool {
	w, ok := op.(lease.LeaseWrite)
	return ok && w.Change != nil && w.Change.Owner == ""
}

// Rule 1, S5: the validity counts from before the first attempt at a counter
// value, not from the retry that showed it had landed.
func TestHeartbeat_LostAnswer(t *testing.T) {
	w := newWorld(t, "s0")
	a := w.add("a")
	w.run(time.Minute)
	var noted time.Duration
	attempts := 0
	w.fault = func(_ *node, op lease.Op, execute executeFunc, answer answerFunc) bool {
		if !isBeat(op) {
			return false
		}
		if attempts++; attempts == 1 {
			noted = w.now
			execute() // lands; the answer is lost
			answer(1500*time.Millisecond, lease.Answer{Outcome: lease.Unknown})
			return true
		}
		return false
	}
	for attempts < 3 && w.now < 2*time.Minute { // the retry is refused by our own write, and the next heartbeat follows at once
		w.run(time.Millisecond)
	}
	if w.now > noted+1600*time.Millisecond {
		t.Errorf("the next heartbeat was sent at %v, want it at once after the late landing of that of %v", w.now, noted)
	}
	if got, want := a.k.Counts(w.now).Valid, noted+7200*time.Millisecond-w.now; got > want {
		t.Errorf("got leases good for another %v, want %v: from before the first attempt", got, want)
	}
	if lives := a.k.Counts(w.now).Lives; lives != 1 {
		t.Errorf("got %d lives, want the landed heartbeat to be recognized", lives)
	}
}

// Rule 1, S6: a heartbeat that landed and was then followed by an eviction is none.
func TestHeartbeat_LandedThenEvicted(t *testing.T) {
	w := newWorld(t, "s0")
	a := w.add("a")
	w.run(time.Minute)
	id, lost, counter := a.k.Worker(), false, int64(0)
	w.fault = func(_ *node, op lease.Op, execute executeFunc, answer answerFunc) bool {
		if isBeat(op) && lost && op.(lease.WorkerWrite).Worker == id && op.(lease.WorkerWrite).Put.Counter > counter {
			t.Error("an evicted worker took its heartbeat for landed and sent another")
		}
		if !isBeat(op) || lost {
			return false
		}
		lost = true
		row := execute().Worker
		counter = row.Counter
		w.execute(lease.WorkerWrite{Worker: id, If: lease.WorkerCondition{Counter: row.Counter}, Evict: true})
		answer(100*time.Millisecond, lease.Answer{Outcome: lease.Unknown})
		return true
	}
	w.run(2500 * time.Millisecond)
	if a.k.Worker() == id {
		t.Error("an evicted worker goes on under its old id")
	}
}

// A14: a registration of which nothing was known for longer than a lease may
// have landed, been evicted and been deleted: it is not made again, nor believed.
func TestHeartbeat_LateRegistration(t *testing.T) {
	for name, late := range map[string]lease.Outcome{"answer lost": lease.Unknown, "answer late": lease.Applied} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "s0")
			b := w.add("b")
			w.run(time.Minute)
			registered := ""
			w.fault = func(_ *node, op lease.Op, execute executeFunc, answer answerFunc) bool {
				write, ok := op.(lease.WorkerWrite)
				if !ok || write.Create == nil || registered != "" {
					return false
				}
				registered = write.Worker
				row := execute().Worker
				answer(9*time.Second, lease.Answer{Outcome: late, Worker: row})
				return true
			}
			a := w.add("a")
			w.run(8500 * time.Millisecond)
			if row := w.workers[registered]; row == nil || row.State != lease.Evicted {
				t.Fatalf("got %+v, want it evicted by b", row)
			}
			delete(w.workers, registered) // b cleans up
			w.run(10 * time.Second)
			if w.workers[registered] != nil || a.k.Worker() == registered {
				t.Errorf("got %+v, want another id", w.workers[registered])
			}
			b.handle(keeper.Shutdown{})
			w.run(5 * time.Second)
			if got := w.holders(); got["s0"] != "a" {
				t.Errorf("got %v, want s0 at a", got)
			}
		})
	}
}

// Rule 1: without a row a worker is out, and rejoins under a new id.
func TestHeartbeat_RowMissing(t *testing.T) {
	w := newWorld(t, "s0")
	a := w.add("a")
	w.run(time.Minute)
	id := a.k.Worker()
	delete(w.workers, id)
	w.run(3 * time.Second)
	if a.k.Worker() == id {
		t.Fatal("a worker without a row goes on under its old id")
	}
	// S8: what the lost row's leases are, is known D after the first scan without it.
	w.run(time.Second)
	if row := w.workers[id]; row != nil {
		t.Errorf("got %+v at once, want the lost row to be evicted only after D", row)
	}
	w.run(12 * time.Second)
	if got := w.holders(); len(got) != 1 {
		t.Errorf("got %v, want the shard to be read again", got)
	}
}

// Rule 2, L3: after an outage longer than D nobody evicts anybody, and every
// lease is read again within D + 2H + 5 s.
func TestSuspicion_Outage(t *testing.T) {
	w := newWorld(t, "s0", "s1", "s2", "s3")
	var nodes []*node
	for _, name := range []string{"a", "bb", "ccc"} {
		nodes = append(nodes, w.add(name))
	}
	w.run(time.Minute)
	out := true
	w.fault = func(_ *node, _ lease.Op, _ executeFunc, answer answerFunc) bool {
		if out {
			answer(500*time.Millisecond, lease.Answer{Outcome: lease.Unknown})
		}
		return out
	}
	w.run(time.Minute)
	if got := w.holders(); len(got) != 0 {
		t.Errorf("got %v in the outage, want every grant over", got)
	}
	out = false
	w.run(17 * time.Second)
	if got := w.holders(); len(got) != 4 {
		t.Errorf("got %v after the outage, want every shard read", got)
	}
	for _, n := range nodes {
		if c := n.k.Counts(w.now); c.Evictions != 0 || c.Lives != 1 {
			t.Errorf("%s: got %d evictions and %d lives, want none and one", n.name, c.Evictions, c.Lives)
		}
	}
}

// Rule 2, S7 and L6: a watch begins when the answer arrives, and ends by its own
// timer. Rule 3: nothing of the dead is touched before EVICTED stands.
func TestSuspicion_FromArrivalByTimer(t *testing.T) {
	w := newWorld(t, "s0", "s1")
	a, b := w.add("a"), w.add("bb")
	w.run(time.Minute)
	var lastAnswer, evictedAt time.Duration
	var shown int64
	id := a.k.Worker()
	w.fault = func(n *node, op lease.Op, execute executeFunc, answer answerFunc) bool {
		if _, scan := op.(lease.ScanWorkers); scan && n == b {
			w.at(w.now+time.Millisecond, func() {
				got := execute()
				answer(700*time.Millisecond, got) // a slow answer
				for _, row := range got.Workers {
					if row.ID == id && row.Counter != shown {
						shown, lastAnswer = row.Counter, w.now+700*time.Millisecond
					}
				}
			})
			return true
		}
		if write, ok := op.(lease.WorkerWrite); ok && write.Evict && write.Worker == id && evictedAt == 0 {
			evictedAt = w.now
			if write.If.Counter != shown || write.If.Evicted {
				t.Errorf("eviction on condition %+v, want the watched counter %d", write.If, shown)
			}
		}
		if write, ok := op.(lease.LeaseWrite); ok && n == b && write.Change != nil && write.If.Owner == id &&
			w.workers[id].State != lease.Evicted {
			t.Errorf("a lease of %s is written before it is EVICTED", id)
		}
		return false
	}
	w.run(10 * time.Second)
	w.kill(a)
	w.run(12 * time.Second)
	if evictedAt == 0 || evictedAt < lastAnswer+8*time.Second {
		t.Errorf("evicted at %v, want D after the answer of %v", evictedAt, lastAnswer)
	}
	if evictedAt > lastAnswer+8*time.Second+10*time.Millisecond {
		t.Errorf("evicted at %v, want it by a timer right after %v", evictedAt, lastAnswer+8*time.Second)
	}
}

// A13: a worker's first row is not ready; and a peer's row that shows no lease
// duration a leasekeeper would write is given the longest.
func TestHeartbeat_FirstRow(t *testing.T) {
	w := newWorld(t, "s0")
	first := true
	w.fault = func(_ *node, op lease.Op, _ executeFunc, _ answerFunc) bool {
		if write, ok := op.(lease.WorkerWrite); ok && write.Create != nil && first {
			first = false
			if write.Create.Ready {
				t.Error("the first row says ready")
			}
		}
		return false
	}
	w.add("a")
	w.run(time.Second)
	w.workers["x/00000001"] = &lease.Worker{ID: "x/00000001", Counter: 1, State: lease.Active, Duration: time.Millisecond}
	w.run(50 * time.Second)
	if w.workers["x/00000001"].State == lease.Evicted {
		t.Error("a peer with an unbelievable lease duration was evicted early")
	}
	w.run(20 * time.Second)
	if row := w.workers["x/00000001"]; row != nil && row.State != lease.Evicted {
		t.Error("a peer with an unbelievable lease duration is never evicted")
	}
}

// L9: a call that waits is answered when a heartbeat has renewed the grants.
func TestSession_AnswersAtHeartbeat(t *testing.T) {
	w := newWorld(t, "s0")
	a := w.add("a")
	a.c.wait = 30 * time.Second
	w.run(10 * time.Second)
	before := a.c.syncs
	w.run(20 * time.Second)
	if got := a.c.syncs - before; got < 9 || got > 25 {
		t.Errorf("got %d answers in 20 s, want about one a heartbeat of 2 s", got)
	}
}

// An eviction that cannot be written is attempted ever more seldom, and told once.
func TestPeers_EvictionFails(t *testing.T) {
	w := newWorld(t, "s0")
	a := w.add("a")
	w.run(5 * time.Second)
	w.workers["gone/00000001"] = &lease.Worker{ID: "gone/00000001", Counter: 1, State: lease.Active, Duration: 8 * time.Second}
	attempts := 0
	w.fault = func(_ *node, op lease.Op, _ executeFunc, answer answerFunc) bool {
		write, ok := op.(lease.WorkerWrite)
		if !ok || !write.Evict {
			return false
		}
		attempts++
		answer(time.Millisecond, lease.Answer{Outcome: lease.Failed})
		return true
	}
	w.run(40 * time.Second)
	if attempts < 10 || attempts > 100 {
		t.Errorf("got %d attempts in half a minute, want some", attempts)
	}
	told := 0
	for _, note := range a.notes {
		if note.Message == "evicting worker" {
			told++
		}
	}
	if told != 1 {
		t.Errorf("got %d notes, want one", told)
	}
	w.fault = nil
	w.run(2 * time.Second)
	if row := w.workers["gone/00000001"]; row != nil && row.State != lease.Evicted {
		t.Errorf("got %+v, want it evicted as soon as that succeeds", row)
	}
}

// The table's TTL goes by the service's clock. A host whose own is days behind,
// or was when the task began, must not have its row removed for that.
func TestSelf_HostClockIsDaysBehind(t *testing.T) {
	w := newWorld(t, "s0")
	w.listing.Now = time.Unix(10_000, 0).Add(72 * time.Hour)
	a := w.add("a")
	w.run(10 * time.Second)
	worker := a.k.Worker()
	for range 30 {
		for id, row := range w.workers {
			if row.ExpiresAt.Before(w.listing.Now) {
				delete(w.workers, id)
			}
		}
		w.run(10 * time.Second)
	}
	if a.k.Worker() != worker {
		t.Errorf("got %s after %s, want one life", a.k.Worker(), worker)
	}
}
