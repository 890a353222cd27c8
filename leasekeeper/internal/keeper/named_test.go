package keeper_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/keeper"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// peer is a worker that the test plays: its row beats and says what it is told
// to, and it claims nothing.
type peer struct {
	w  *world
	id string
}

func (w *world) peer(id string, shards ...string) *peer {
	p := &peer{w, id}
	row := &lease.Worker{ID: id, Counter: 1, State: lease.Active, Ready: true, Duration: 8 * time.Second}
	for _, s := range shards {
		row.Held = append(row.Held, lease.Held{Shard: s, Generation: 1})
		w.leases[s] = &lease.Row{Shard: s, Owner: id, Counter: 1, Checkpoint: lease.Checkpoint{Sequence: lease.TrimHorizon}}
	}
	w.workers[id] = row
	var beat func()
	beat = func() {
		p.say(func(*lease.Worker) {})
		w.at(w.now+time.Second, beat)
	}
	w.at(w.now+time.Second, beat)
	return p
}

// say writes the peer's next heartbeat.
func (p *peer) say(change func(row *lease.Worker)) {
	row := *p.w.workers[p.id]
	row.Held = append([]lease.Held(nil), row.Held...)
	row.Counter++
	change(&row)
	p.w.workers[p.id] = &row
}

// announce says that each shard will be released to the worker beside it.
func (p *peer) announce(to map[string]string) {
	p.say(func(row *lease.Worker) {
		for i, h := range row.Held {
			if id := to[h.Shard]; id != "" {
				row.Held[i].Moving, row.Held[i].To = true, lease.Tag(id)
			}
		}
	})
}

// release releases everything; the peer's row follows with its next heartbeat.
func (p *peer) release() {
	for s, row := range p.w.leases {
		if row.Owner == p.id {
			released := *row
			released.Owner, released.Counter = "", row.Counter+1
			p.w.leases[s] = &released
		}
	}
}

// What is announced for a worker it claims at once, whatever its own plan says;
// what is announced for another it leaves alone, but for what was left then.
func TestNamed_ClaimsWhatIsAnnounced(t *testing.T) {
	w := newWorld(t, "s0", "s1", "s2", "s3", "s4", "s5")
	x, y := w.peer("x/00000001", "s0", "s1", "s2", "s3", "s4", "s5"), w.peer("y/00000002")
	a := w.add("a")
	w.run(time.Second)
	me := a.k.Worker()
	x.announce(map[string]string{"s0": me, "s1": me, "s2": me, "s3": me, "s4": y.id, "s5": y.id}) // two each would be even
	w.run(2500 * time.Millisecond)
	x.release()
	w.run(300 * time.Millisecond)
	got := w.holders()
	for _, s := range []string{"s0", "s1", "s2", "s3"} {
		if got[s] != "a" {
			t.Errorf("got %v, want %s at a", got, s)
		}
	}
	if len(got) != 4 {
		t.Errorf("got %v, want what is for y not claimed yet", got)
	}
	x.say(func(row *lease.Worker) { row.Held = nil })
	w.run(time.Second)
	if got := w.holders(); len(got) != 6 {
		t.Errorf("got %v, want what y did not take claimed by the next one", got)
	}
}

// Where the worker that was named takes nothing any more, those for which the
// leases are planned have them first, and soon anybody.
func TestNamed_TakesNothingAnyMore(t *testing.T) {
	w := newWorld(t, "s0", "s1", "s2", "s3")
	x := w.peer("x/00000001", "s0", "s1", "s2", "s3")
	w.peer("y/00000002")
	w.add("a")
	w.run(time.Second)
	const gone = "gone/00000009"
	x.say(func(row *lease.Worker) { row.State = lease.Draining })
	x.announce(map[string]string{"s0": gone, "s1": gone, "s2": gone, "s3": gone})
	w.run(2500 * time.Millisecond)
	x.release()
	w.run(300 * time.Millisecond)
	if got := w.holders(); len(got) != 2 {
		t.Errorf("got %v, want a's share by the plan", got)
	}
	w.run(800 * time.Millisecond)
	if got := w.holders(); len(got) != 4 {
		t.Errorf("got %v, want everything read a second after its release", got)
	}
}

// A row that is read because its owner does not say that it holds it, and found
// released, is claimed at once.
func TestNamed_ReleasedUnannounced(t *testing.T) {
	w := newWorld(t, "s0")
	x := w.peer("x/00000001", "s0")
	w.add("a")
	w.run(5 * time.Second)
	x.say(func(row *lease.Worker) { row.Ready, row.Held = false, nil })
	x.release()
	w.run(2100 * time.Millisecond) // a scan each 2 s
	if got := w.holders(); got["s0"] != "a" {
		t.Errorf("got %v, want s0 at a", got)
	}
}

// withdrawal has a hold six leases when y and z come, has one of these take
// leases no more at some time, and returns the first announcement, when it was
// made, and what the table said of the first lease when it was released.
func withdrawal(t *testing.T, leaves string, at time.Duration) (first lease.Held, when time.Duration, last lease.Held, stood time.Duration) {
	w := newWorld(t, "s0", "s1", "s2", "s3", "s4", "s5")
	a := w.add("a")
	w.run(20 * time.Second)
	for _, id := range []string{"y/00000002", "z/00000003"} {
		p := w.peer(id)
		if id == leaves {
			w.at(at, func() { p.say(func(row *lease.Worker) { row.Ready = false }) })
		}
	}
	said, since := map[string]lease.Held{}, map[string]time.Duration{}
	for end := w.now + 20*time.Second; w.now < end; w.run(10 * time.Millisecond) {
		for s, row := range w.leases {
			if row.Owner == "" {
				return first, when, said[s], w.now - since[s]
			}
		}
		for _, h := range w.workers[a.k.Worker()].Held {
			if h != said[h.Shard] {
				said[h.Shard], since[h.Shard] = h, w.now
			}
			if h.Moving && when == 0 {
				first, when = h, w.now
			}
		}
	}
	t.Fatal("nothing was released")
	return
}

// A lease is withdrawn only for a worker that was named in the table for more
// than H and takes leases, as far as can be known: also where the one that was
// named first changes its mind.
func TestNamed_WithdrawnAsAnnounced(t *testing.T) {
	first, when, _, _ := withdrawal(t, "", 0)
	leaves, stays := "y/00000002", "z/00000003"
	if first.To == lease.Tag(stays) {
		leaves, stays = stays, leaves
	}
	for _, after := range []time.Duration{-1500, -500, -50, 50, 500, 1900} {
		_, _, last, stood := withdrawal(t, leaves, when+after*time.Millisecond)
		if !last.Moving || last.To != lease.Tag(stays) || stood < 2*time.Second {
			t.Errorf("%d ms: %s was released after the table said %+v for %v, want that it goes to %s", after, last.Shard, last, stood, stays)
		}
	}
}

// A worker that is released names who is to have its leases in the heartbeat
// that says so.
func TestNamed_WhenReleased(t *testing.T) {
	w := newWorld(t, "s0", "s1", "s2")
	a := w.add("a")
	w.run(20 * time.Second)
	w.peer("y/00000002")
	w.run(2 * time.Second)
	var row *lease.Worker // the first that says it
	w.fault = func(n *node, op lease.Op, _ executeFunc, _ answerFunc) bool {
		if write, ok := op.(lease.WorkerWrite); ok && n == a && row == nil && write.Put != nil && write.Put.State == lease.Draining {
			row = write.Put
		}
		return false
	}
	w.ask(false, a.k.Worker())
	w.run(3 * time.Second)
	if row == nil || len(row.Held) != 3 {
		t.Fatalf("got %+v, want a row that drains and three leases in it", row)
	}
	for _, h := range row.Held {
		if !h.Moving || h.To != lease.Tag("y/00000002") {
			t.Errorf("got %+v, want it announced for y", h)
		}
	}
}

// What was withdrawn for another reason than a move is claimed anew, whoever it
// is planned for by then: moves are announced, and limited.
func TestNamed_KeepsWhatIsNotAnnounced(t *testing.T) {
	w := newWorld(t, "s0", "s1", "s2", "s3")
	x := w.peer("x/00000001", "s0", "s1", "s2", "s3")
	w.peer("y/00000002")
	a := w.add("a")
	w.run(time.Second)
	me := a.k.Worker()
	x.announce(map[string]string{"s0": me, "s1": me, "s2": me, "s3": me})
	w.run(2500 * time.Millisecond)
	x.say(func(row *lease.Worker) { row.Ready, row.Held = false, nil })
	x.release()
	w.run(2 * time.Second)
	w.ask(true) // paused: everything is withdrawn
	w.run(3 * time.Second)
	w.ask(false)
	for end := w.now + 3*time.Second; w.now < end; w.run(10 * time.Millisecond) {
		for s, row := range w.leases {
			if row.Owner != me {
				t.Fatalf("got %s with owner %q, want it kept", s, row.Owner)
			}
		}
	}
	if got := w.holders(); len(got) != 4 {
		t.Errorf("got %v, want everything read again", got)
	}
}

// handover has x hold s0 and announce it for a, with b and more beside, up to the moment
// when x may release it. No scan of b's falls into the second after that.
func handover(t *testing.T, more ...string) (w *world, x *peer, a, b *node) {
	w = newWorld(t, "s0")
	x = w.peer("x/00000001", "s0")
	a, b = w.add("a"), w.add("b")
	for _, name := range more {
		w.add(name)
	}
	w.run(600 * time.Millisecond)
	x.announce(map[string]string{"s0": a.k.Worker()})
	w.run(2500 * time.Millisecond)
	return w, x, a, b
}

// Where the named worker is told to stop just before it would claim, the next
// one has seen that the lease is free, and reads it within a second.
func TestNamed_LeavesJustThen(t *testing.T) {
	w, x, a, _ := handover(t)
	w.at(w.now, func() { a.handle(keeper.Shutdown{}) })
	w.run(5 * time.Millisecond)
	x.release()
	w.run(900 * time.Millisecond)
	if got := w.holders(); got["s0"] != "b" {
		t.Errorf("got %v, want s0 at b", got)
	}
}

// One stands in for the named worker: whoever else is there reads nothing.
func TestNamed_OneStandsIn(t *testing.T) {
	w, x, a, _ := handover(t, "c", "d")
	w.at(w.now, func() { a.handle(keeper.Shutdown{}) })
	w.run(5 * time.Millisecond)
	reads := map[string]int{}
	w.fault = func(n *node, op lease.Op, _ executeFunc, _ answerFunc) bool {
		if _, is := op.(lease.GetLease); is {
			reads[n.name]++
		}
		return false
	}
	x.release()
	w.run(900 * time.Millisecond)
	delete(reads, w.holders()["s0"])
	if delete(reads, "a"); len(w.holders()) != 1 || len(reads) > 0 {
		t.Errorf("got %v, and reads of %v, want s0 at one of them and the others without a read", w.holders(), reads)
	}
}

// Nobody writes to a lease that the named worker claims as it should.
func TestNamed_SecondLooksFirst(t *testing.T) {
	w, x, _, b := handover(t)
	x.release()
	w.run(5 * time.Second)
	if got := w.holders(); got["s0"] != "a" {
		t.Errorf("got %v, want s0 at a", got)
	}
	if got := b.k.Counts(w.now).ClaimsRefused; got != 0 {
		t.Errorf("got %d claims that were refused, want none", got)
	}
}

// A claim that lands when its worker was just told to stop is served until the
// lease is handed over with the others.
func TestNamed_ClaimMeetsTheEnd(t *testing.T) {
	w, x, a, _ := handover(t)
	w.fault = func(n *node, op lease.Op, _ executeFunc, _ answerFunc) bool {
		if write, ok := op.(lease.LeaseWrite); ok && n == a && write.Change != nil && write.Change.Owner == a.k.Worker() {
			w.at(w.now, func() { a.handle(keeper.Shutdown{}) })
		}
		return false
	}
	x.release()
	unread := time.Duration(0)
	for end := w.now + 6*time.Second; w.now < end; w.run(10 * time.Millisecond) {
		if len(w.holders()) == 0 {
			unread += 10 * time.Millisecond
		}
	}
	if got := w.holders(); got["s0"] != "b" || unread > 300*time.Millisecond {
		t.Errorf("got %v, and s0 unread for %v, want it at b and never unread for long", got, unread)
	}
}

// reads counts what a node reads of the lease table, and answers it after a while
// with the outcome.
func (w *world) reads(of *node, after time.Duration, outcome lease.Outcome) (gets, scans *int) {
	gets, scans = new(int), new(int)
	w.fault = func(n *node, op lease.Op, execute executeFunc, answer answerFunc) bool {
		if n != of {
			return false
		}
		switch op.(type) {
		case lease.ScanLeases:
			*scans++
		case lease.GetLease:
			*gets++
		default:
			return false
		}
		a := execute()
		a.Outcome = outcome
		answer(after, a)
		return true
	}
	return gets, scans
}

// announced has x hold n of two hundred leases and announce them for a.
func announced(t *testing.T, n int) (*world, *peer, *node) {
	w := newWorld(t)
	var all []string
	to := map[string]string{}
	for i := range 200 {
		s := fmt.Sprintf("s%03d", i)
		w.listing.Shards = append(w.listing.Shards, lease.Shard{ID: s})
		all = append(all, s)
	}
	x := w.peer("x/00000001", all...)
	a := w.add("a")
	w.run(4 * time.Second)
	for _, s := range all[:n] {
		to[s] = a.k.Worker()
	}
	x.announce(to)
	return w, x, a
}

// What is handed over is polled row by row while that costs less than scans: a
// twentieth of the table or eight rows, each row again when its answer has come,
// and more seldom while it cannot be read.
func TestNamed_PollsWithMeasure(t *testing.T) {
	for name, tc := range map[string]struct {
		leases                     int
		after                      time.Duration
		outcome                    lease.Outcome
		leastGets, mostGets, scans int
	}{
		"few":         {10, time.Millisecond, lease.Applied, 400, 510, 0},
		"many":        {11, time.Millisecond, lease.Applied, 0, 0, 50},
		"slow":        {10, 900 * time.Millisecond, lease.Applied, 80, 120, 0},
		"fails":       {10, time.Millisecond, lease.Failed, 80, 150, 0},
		"many, slow":  {11, 900 * time.Millisecond, lease.Applied, 0, 0, 10},
		"many, fails": {11, time.Millisecond, lease.Failed, 0, 0, 25},
	} {
		t.Run(name, func(t *testing.T) {
			w, x, a := announced(t, tc.leases)
			w.run(3 * time.Second)
			gets, scans := w.reads(a, tc.after, tc.outcome)
			w.run(10 * time.Second)
			if *gets < tc.leastGets || *gets > tc.mostGets || *scans > tc.scans+1 || *scans < tc.scans*4/5 {
				t.Errorf("got %d reads and %d scans in ten seconds, want %d to %d and about %d", *gets, *scans, tc.leastGets, tc.mostGets, tc.scans)
			}
			w.fault = nil
			x.release()
			w.run(1200 * time.Millisecond)
			for i, got := 0, w.holders(); i < tc.leases; i++ {
				if s := fmt.Sprintf("s%03d", i); got[s] != "a" {
					t.Errorf("%s is at %q, want it at a", s, got[s])
				}
			}
		})
	}
}
