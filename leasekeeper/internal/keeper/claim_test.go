package keeper_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/keeper"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// The world fails a test that sees a generation granted without a claim the
// worker knows of (S3, S4), or granted again after it was withdrawn (S2).

// Rule 4, S4, A10: a claim that landed but whose answer was lost is repeated,
// and the refusal that names us is no success: the lease is claimed again.
func TestClaim_LostAnswer(t *testing.T) {
	w := newWorld(t, "s0")
	lost := false
	w.fault = func(_ *node, op lease.Op, execute executeFunc, answer answerFunc) bool {
		if !isClaim(op) || lost {
			return false
		}
		lost = true
		execute()
		answer(200*time.Millisecond, lease.Answer{Outcome: lease.Unknown})
		return true
	}
	w.add("a")
	w.run(3 * time.Second)
	if got := w.leases["s0"].Counter; got != 2 {
		t.Errorf("got generation %d, want 2: claimed anew after the lost answer", got)
	}
	if len(w.holders()) != 1 {
		t.Error("the shard is not read")
	}
}

// Rule 4, S2, S3: a lease whose release was lost is kept only by a new claim,
// also when the plan wants it back and the write lands late.
func TestClaim_LateRelease(t *testing.T) {
	w := newWorld(t, "s0", "s1")
	a := w.add("a")
	w.run(time.Minute)
	var late func() lease.Answer
	w.fault = func(n *node, op lease.Op, execute executeFunc, answer answerFunc) bool {
		if n != a || !isRelease(op) || late != nil {
			return false
		}
		late = execute
		w.at(w.now+3*time.Second, func() { execute() })
		answer(400*time.Millisecond, lease.Answer{Outcome: lease.Unknown})
		return true
	}
	b := w.add("bb")
	w.run(20 * time.Second)
	w.kill(b)
	w.run(20 * time.Second)
	if late == nil {
		t.Fatal("no lease was ever released")
	}
	if got := spread(w); got["a"] != 2 {
		t.Errorf("got %v, want both shards back at a", got)
	}
}

// Rule 4: a row that is no longer ours ends its grant at once.
func TestClaim_RowTaken(t *testing.T) {
	w := newWorld(t, "s0")
	a := w.add("a")
	w.run(10 * time.Second)
	row := *w.leases["s0"]
	row.Owner, row.Counter = "somebody/00000001", row.Counter+1
	w.leases["s0"] = &row
	w.workers[row.Owner] = &lease.Worker{ID: row.Owner, Counter: 1, State: lease.Active, Duration: time.Minute}
	w.stream = &lease.Stream{ARN: w.stream.ARN, CreatedAt: w.stream.CreatedAt, ShardMapVersion: 99} // has the table read
	w.run(2500 * time.Millisecond)
	if got := a.k.Counts(w.now).Served; got != 0 {
		t.Errorf("got %d leases served, want none: the row is another's", got)
	}
}

// Rule 4, S3: a restarted consumer is served by newly claimed generations, and
// only when its predecessor's grants are over; until then it is refused.
func TestClaim_ConsumerRestart(t *testing.T) {
	w := newWorld(t, "s0")
	a := w.add("a")
	w.run(10 * time.Second)
	old, before := a.c, w.leases["s0"].Counter
	old.die()
	reading := w.grants["s0"]
	c := a.attach()
	w.run(2 * time.Second)
	if c.syncs != 0 || c.conflict == 0 {
		t.Errorf("got %d answers and %d refusals while grants of the predecessor may be live", c.syncs, c.conflict)
	}
	w.run(reading.until - w.now + time.Second)
	h := c.holds["s0"]
	if h == nil || h.generation <= before {
		t.Errorf("got %+v, want a generation above %d", h, before)
	}
}

// Rule 5, S8: the owner of a lease that has no row is dead only D after the
// first scan without it, however long its leaseCounter stood still before.
func TestClaim_OwnerWithoutRow(t *testing.T) {
	w := newWorld(t, "s0")
	w.stream = &lease.Stream{ARN: w.listing.ARN, CreatedAt: w.listing.CreatedAt, ShardMapVersion: 1, InitialPosition: lease.TrimHorizon}
	w.leases["s0"] = &lease.Row{Shard: "s0", Owner: "gone/00000001", Counter: 5, Checkpoint: lease.Checkpoint{Sequence: "77"}}
	w.add("a")
	w.run(7900 * time.Millisecond)
	if got := w.leases["s0"].Counter; got != 5 {
		t.Fatal("claimed before its owner was watched for D")
	}
	w.run(2 * time.Second)
	if row := w.workers["gone/00000001"]; row == nil || row.State != lease.Evicted {
		t.Errorf("got %+v, want an EVICTED row for the missing owner", row)
	}
	if got := w.holders(); len(got) != 1 {
		t.Errorf("got %v, want the shard read", got)
	}
	if h := w.nodes[0].c.holds["s0"]; h.start.Type != contract.AtSequenceNumber || h.start.Sequence != "77" {
		t.Errorf("got start %+v, want AT the checkpoint", h.start)
	}
}

// Rule 5, S9: while one lease of a KCL moves nothing at all is claimed; when
// all stood still for the foreign wait they are taken over.
func TestClaim_Foreign(t *testing.T) {
	w := newWorld(t, "s0", "s1", "s2")
	for _, s := range []string{"s0", "s1"} {
		w.leases[s] = &lease.Row{Shard: s, Owner: "host:kcl-worker", Counter: 100, Checkpoint: lease.Checkpoint{Sequence: "5"}}
	}
	alive := true
	var beat func()
	beat = func() {
		if alive {
			row := *w.leases["s1"]
			row.Counter++
			w.leases["s1"] = &row
			w.at(w.now+3*time.Second, beat)
		}
	}
	w.at(0, beat)
	dropped := false
	w.fault = func(_ *node, op lease.Op, _ executeFunc, _ answerFunc) bool {
		if write, ok := op.(lease.LeaseWrite); ok && isClaim(op) && write.If.Owner == "host:kcl-worker" {
			dropped = write.Change.DropForeign
		}
		return false
	}
	a := w.add("a")
	w.run(2 * time.Minute)
	if got := w.holders(); len(got) != 0 {
		t.Fatalf("got %v while a KCL is alive, want nothing claimed", got)
	}
	if reason := a.k.Status(w.now).Reason; reason == "" {
		t.Error("readiness does not say that a KCL is alive")
	}
	alive = false
	w.run(45 * time.Second)
	if got := w.holders(); len(got) != 3 {
		t.Errorf("got %v, want all three shards taken over", got)
	}
	if !dropped {
		t.Error("the KCL's own attributes are not removed")
	}
}

// Rule 6: a worker gives up one lease a heartbeat of its few, and none younger than 2D.
func TestMoves_Limits(t *testing.T) {
	w := newWorld(t, "s0", "s1", "s2", "s3", "s4", "s5")
	a := w.add("a")
	claimedAt := map[string]time.Duration{}
	var releases []time.Duration
	w.fault = func(n *node, op lease.Op, _ executeFunc, _ answerFunc) bool {
		write, _ := op.(lease.LeaseWrite)
		if isClaim(op) {
			claimedAt[write.Shard] = w.now
		}
		if isRelease(op) && n == a {
			releases = append(releases, w.now)
			if age := w.now - claimedAt[write.Shard]; age < 16*time.Second {
				t.Errorf("a lease is given up at the age of %v, want 2D at least", age)
			}
		}
		return false
	}
	w.run(16 * time.Second)
	w.add("bb")
	w.run(time.Minute)
	if got := spread(w); got["a"] != 3 || got["bb"] != 3 {
		t.Fatalf("got %v, want three each", got)
	}
	for i := 1; i < len(releases); i++ {
		if gap := releases[i] - releases[i-1]; gap < 1900*time.Millisecond {
			t.Errorf("two leases given up within %v, want one a heartbeat", gap)
		}
	}
}

// Rule 6: what a worker took because nobody had it goes at once, half of it a
// heartbeat; what was handed over less than 2D ago stays.
func TestMoves_Fresh(t *testing.T) {
	w := newWorld(t, shards(16)...)
	a := w.add("a")
	claimedAt := map[string]time.Duration{}
	releases := map[*node][]time.Duration{}
	w.fault = func(n *node, op lease.Op, _ executeFunc, _ answerFunc) bool {
		write, _ := op.(lease.LeaseWrite)
		if isClaim(op) {
			claimedAt[write.Shard] = w.now
		}
		if isRelease(op) {
			releases[n] = append(releases[n], w.now)
			if age := w.now - claimedAt[write.Shard]; n != a && age < 16*time.Second {
				t.Errorf("%s gives up a lease that was handed to it %v ago, want 2D at least", n.name, age)
			}
		}
		return false
	}
	w.run(time.Second)
	b := w.add("bb")
	w.run(14 * time.Second)
	if got := spread(w); got["a"] != 8 || got["bb"] != 8 {
		t.Fatalf("got %v, want eight each", got)
	}
	if got := bursts(releases[a]); !slices.Equal(got, []int{4, 2, 1, 1}) {
		t.Errorf("got %v leases given up in the heartbeats, want half of what is left in each", got)
	}
	w.add("ccc")
	w.run(time.Minute)
	if got := spread(w); got["a"]+got["bb"] != 11 || len(releases[b]) == 0 {
		t.Fatalf("got %v and %d releases by bb, want a third at ccc, of both", got, len(releases[b]))
	}
}

func shards(n int) []string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf("s%02d", i))
	}
	return list
}

// bursts counts the times that lie within half a second of each other.
func bursts(times []time.Duration) []int {
	var counts []int
	for i, at := range times {
		if i == 0 || at-times[i-1] > 500*time.Millisecond {
			counts = append(counts, 0)
		}
		counts[len(counts)-1]++
	}
	return counts
}

// Rule 6, A4: a worker whose consumer died gives everything up without limits.
func TestMoves_ConsumerDied(t *testing.T) {
	w := newWorld(t, "s0", "s1", "s2", "s3", "s4", "s5")
	a := w.add("a")
	w.run(time.Second)
	b := w.add("bb")
	w.run(time.Minute)
	for shard, g := range w.grants {
		if g.node == a {
			delete(w.grants, shard)
		}
	}
	a.c.die()
	w.run(10500 * time.Millisecond)
	if got := len(b.c.holds); got != 6 {
		t.Errorf("got %d shards at the ready worker, want all 6 within D + H + 0.5 s", got)
	}
}

// Rule 8, L1: a lease whose planned worker does not claim it is claimed by
// somebody else after H.
func TestMoves_Orphan(t *testing.T) {
	w := newWorld(t, "s0", "s1", "s2", "s3")
	a, b := w.add("a"), w.add("bb")
	w.run(time.Minute)
	w.fault = func(n *node, op lease.Op, _ executeFunc, answer answerFunc) bool {
		if n == b && isClaim(op) {
			answer(time.Millisecond, lease.Answer{Outcome: lease.Failed})
			return true
		}
		return false
	}
	c := w.add("ccc")
	w.run(time.Minute)
	w.kill(c)
	w.run(15 * time.Second)
	if got := w.holders(); len(got) != 4 {
		t.Errorf("got %v, want every shard read although one worker cannot claim", got)
	}
	_ = a
}

// Rule 7, S10: a withdrawn shard ends at its last expiry, drained or not, and
// later answers do not renew it.
func TestHandoff_StuckDrain(t *testing.T) {
	w := newWorld(t, "s0", "s1")
	a := w.add("a")
	w.run(30 * time.Second)
	a.c.stuck = true // goes on calling, never says drained
	b := w.add("bb")
	var released, withdrawn time.Duration
	w.fault = func(n *node, op lease.Op, _ executeFunc, _ answerFunc) bool {
		if n == a && isRelease(op) && released == 0 {
			released = w.now
		}
		return false
	}
	for range 4000 {
		w.run(10 * time.Millisecond)
		if withdrawn == 0 && a.k.Counts(w.now).Served == 1 {
			withdrawn = w.now
		}
	}
	if released == 0 || withdrawn == 0 {
		t.Fatalf("withdrawn %v, released %v: want both", withdrawn, released)
	}
	if took := released - withdrawn; took < 5*time.Second || took > 7300*time.Millisecond {
		t.Errorf("released %v after the withdrawal, want it at the last expiry", took)
	}
	if len(b.c.holds) != 1 {
		t.Errorf("got %d shards at b, want 1", len(b.c.holds))
	}
}

// Rule 7 and S11: a shard left out of a request is not taken for drained.
func TestHandoff_Omission(t *testing.T) {
	w := newWorld(t, "s0", "s1")
	a := w.add("a")
	w.run(30 * time.Second)
	a.c.stuck, a.c.silent = true, true // calls, but reports no shard at all
	w.add("bb")
	released := false
	w.fault = func(n *node, op lease.Op, _ executeFunc, _ answerFunc) bool {
		released = released || n == a && isRelease(op)
		return false
	}
	for a.k.Counts(w.now).Served != 1 {
		w.run(10 * time.Millisecond)
	}
	w.run(4 * time.Second)
	if released {
		t.Error("a shard that was left out was released before its expiry")
	}
}

// Rule 7: from withdrawal to the receiver's read takes well under half a second.
func TestHandoff_Gap(t *testing.T) {
	w := newWorld(t, "s0", "s1")
	a := w.add("a")
	w.run(30 * time.Second)
	w.add("bb")
	for a.k.Counts(w.now).Served != 1 {
		w.run(time.Millisecond)
	}
	w.run(300 * time.Millisecond)
	if got := spread(w); got["bb"] != 1 {
		t.Errorf("got %v 300 ms after the withdrawal, want the shard read by bb", got)
	}
}

// Rule 9, L2: leaving with nobody else leaves every lease without an owner.
func TestLeave_Alone(t *testing.T) {
	w := newWorld(t, "s0", "s1")
	a := w.add("a")
	w.run(10 * time.Second)
	w.at(w.now, func() { a.handle(keeper.Shutdown{}) })
	w.run(500 * time.Millisecond)
	if !a.exited || a.err != nil {
		t.Fatalf("got exited %v, %v, want a quick clean exit", a.exited, a.err)
	}
	for _, row := range w.leases {
		if row.Owner != "" {
			t.Errorf("got owner %q of %s, want none", row.Owner, row.Shard)
		}
	}
}

// Rule 9, A8: the own row is not EVICTED while a grant may be live.
func TestLeave_StuckConsumer(t *testing.T) {
	w := newWorld(t, "s0")
	a := w.add("a")
	w.run(10 * time.Second)
	a.c.stuck = true
	w.at(w.now, func() { a.handle(keeper.Shutdown{}) })
	w.run(100 * time.Millisecond)
	until := w.grants["s0"].until
	id := a.k.Worker()
	for !a.exited && w.now < time.Minute {
		w.run(10 * time.Millisecond)
		if w.workers[id].State == lease.Evicted && w.now < until {
			t.Fatalf("signed off at %v with a grant live until %v", w.now, until)
		}
	}
	if !a.exited || w.now > until+time.Second {
		t.Errorf("left at %v, want right after %v", w.now, until)
	}
}

// Rule 9, L7: EVICTED rows that no lease names are deleted.
func TestLeave_RowsAreCleaned(t *testing.T) {
	w := newWorld(t, "s0")
	w.add("a")
	w.run(time.Second)
	w.workers["x/00000001"] = &lease.Worker{ID: "x/00000001", Counter: 9, State: lease.Evicted, Duration: 8 * time.Second}
	w.run(3 * time.Minute)
	if w.workers["x/00000001"] != nil {
		t.Error("an EVICTED row that nobody needs is still there")
	}
}

// Both containers of a task get SIGTERM at the same time: the consumer reads on
// until its grants are withdrawn, and nobody misses a shard for more than a second.
func TestLeave_BothAtOnce(t *testing.T) {
	w := newWorld(t, "s0", "s1", "s2", "s3")
	a := w.add("a")
	w.run(time.Second)
	w.add("bb")
	w.run(time.Minute)
	scanned := time.Duration(0)
	w.fault = func(n *node, op lease.Op, _ executeFunc, _ answerFunc) bool {
		if _, scan := op.(lease.ScanWorkers); scan && n != a {
			scanned = w.now
		}
		return false
	}
	for scanned != w.now-100*time.Millisecond { // the worst moment: the peer looks again in almost H
		w.run(time.Millisecond)
	}
	w.at(w.now, func() { a.c.draining = true; a.handle(keeper.Shutdown{}) })
	unread := 0
	for range 400 {
		w.run(10 * time.Millisecond)
		if len(w.holders()) < 4 {
			unread++
		}
	}
	if !a.exited || a.err != nil {
		t.Errorf("got exited %v, %v, want a clean exit", a.exited, a.err)
	}
	if got := spread(w); got["bb"] != 4 {
		t.Errorf("got %v, want every shard at bb", got)
	}
	if unread > 50 {
		t.Errorf("a shard was not read for about %d ms, want under 500", unread*10)
	}
}

// refuses has every write of the kind refused with the row as it is, as a row
// that somebody damaged may do, and counts them.
func (w *world) refuses(kind func(lease.Op) bool) *int {
	refused := 0
	w.fault = func(_ *node, op lease.Op, _ executeFunc, answer answerFunc) bool {
		if !kind(op) {
			return false
		}
		refused++
		answer(time.Millisecond, lease.Answer{Outcome: lease.Refused, Lease: w.leases[op.(lease.LeaseWrite).Shard]})
		return true
	}
	return &refused
}

// Writes that are refused though the row is as they ask for are repeated ever
// more seldom, told once, and done as soon as they are applied.
func TestClaim_RefusedForEver(t *testing.T) {
	isCheckpoint := func(op lease.Op) bool {
		write, ok := op.(lease.LeaseWrite)
		return ok && write.Change != nil && write.Change.Owner != "" && write.Change.Counter == write.If.Counter
	}
	isEnd := func(op lease.Op) bool {
		write, ok := op.(lease.LeaseWrite)
		return ok && write.Change != nil && write.Change.Checkpoint != nil && write.Change.Checkpoint.Sequence == lease.ShardEnd
	}
	for name, tc := range map[string]struct {
		kind  func(lease.Op) bool
		cause func(a *node)
		done  func(w *world) bool
		told  string
	}{
		"claim": {isClaim, func(*node) {}, func(w *world) bool { return len(w.holders()) == 1 }, "a claim is refused"},
		"release": {isRelease, func(a *node) { a.w.ask(false, a.k.Worker()); a.w.add("bb") },
			func(w *world) bool { return w.holders()["s0"] == "bb" }, "writes are refused"},
		"checkpoint": {isCheckpoint, func(a *node) { a.c.holds["s0"].checkpoint = &contract.Checkpoint{Sequence: "9"} },
			func(w *world) bool { return w.leases["s0"].Checkpoint.Sequence == "9" }, "writes are refused"},
		"end": {isEnd, func(a *node) {
			a.w.listing.Shards = nil
			a.c.holds["s0"].state = contract.Ended
		}, func(w *world) bool { return w.leases["s0"] == nil || w.leases["s0"].Finished() }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "s0")
			a := w.add("a")
			var refused *int
			if name == "claim" {
				refused = w.refuses(tc.kind)
			}
			w.run(20 * time.Second)
			if refused == nil {
				refused = w.refuses(tc.kind)
			}
			tc.cause(a)
			w.run(30 * time.Second)
			if *refused < 10 || *refused > 120 {
				t.Errorf("got %d attempts, want some", *refused)
			}
			told := 0
			for _, note := range a.notes {
				if tc.told != "" && strings.Contains(note.Message, tc.told) {
					told++
				}
			}
			if tc.told != "" && told != 1 {
				t.Errorf("got %d warnings, want one", told)
			}
			w.fault = nil
			w.run(5 * time.Second)
			if !tc.done(w) {
				t.Errorf("got %+v, want it done", w.leases["s0"])
			}
		})
	}
}

// What a routine end does to leases is told as that.
func TestClaim_LeavingIsTold(t *testing.T) {
	w := newWorld(t, "s0")
	a := w.add("a")
	w.run(10 * time.Second)
	w.at(w.now, func() { a.handle(keeper.Shutdown{}) })
	w.run(5 * time.Second)
	reason := ""
	for _, note := range a.notes {
		if note.Message == "lease withdrawn" {
			reason = fmt.Sprint(note.Fields)
		}
	}
	if !strings.Contains(reason, "leaving") {
		t.Errorf("got %q, want the reason: leaving", reason)
	}
}

// A row that was deleted by hand, and made anew in generation 0 before this
// worker read that it was gone, is taken for what it is: no longer held, and
// later another's.
func TestClaim_RowMadeAnew(t *testing.T) {
	w := newWorld(t, "s0", "s1")
	anew := lease.Row{Shard: "s0", Checkpoint: lease.Checkpoint{Sequence: lease.TrimHorizon}}
	old := anew
	old.Counter = 100
	w.leases["s0"] = &old
	w.add("a")
	w.add("bb")
	w.run(2 * time.Minute)
	w.leases["s0"] = &anew
	w.run(2 * time.Minute)
	row, reads := w.leases["s0"], 0
	if row.Owner == "" {
		t.Fatalf("got %+v, want it claimed", row)
	}
	w.fault = func(_ *node, op lease.Op, _ executeFunc, _ answerFunc) bool {
		if _, ok := op.(lease.GetLease); ok {
			reads++
		}
		return false
	}
	w.run(2 * time.Minute)
	for _, n := range w.nodes {
		for _, l := range n.k.Status(w.now).Leases {
			if l.Shard == "s0" && (l.State != contract.LeaseHeld || l.Owner != row.Owner || l.Generation != row.Counter) {
				t.Errorf("%s shows %+v, want %+v", n.name, l, row)
			}
		}
	}
	if reads > 0 {
		t.Errorf("got %d reads of a lease that is held, want none", reads)
	}
}
