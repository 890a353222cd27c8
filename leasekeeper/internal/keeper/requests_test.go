package keeper_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/keeper"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// ask writes a request as a tool does.
func (w *world) ask(paused bool, released ...string) {
	w.t.Helper()
	a := w.execute(lease.StreamWrite{Request: &lease.StreamRequest{Seen: w.stream.Requests, Paused: paused, Released: released}})
	if a.Outcome != lease.Applied {
		w.t.Fatalf("ask: got %v", a.Outcome)
	}
}

// owned returns "shard=owner" of the table.
func (w *world) owned() map[string]string {
	owners := map[string]string{}
	for shard, row := range w.leases {
		owners[shard] = row.Owner
	}
	return owners
}

// While paused every worker keeps its leases and nobody reads; the
// workers' rows say when. Resumed, each reads its own leases on, from a claim of
// its own (the world fails the test for a withdrawn generation that is granted).
func TestRequests_Pause(t *testing.T) {
	w := newWorld(t, "s0", "s1", "s2", "s3")
	nodes := []*node{w.add("a"), w.add("b")}
	w.run(time.Minute)
	before, generations := w.owned(), map[string]int64{}
	for shard, row := range w.leases {
		generations[shard] = row.Counter
	}
	w.ask(true)
	w.run(5 * time.Second)
	if got := w.holders(); len(got) != 0 {
		t.Errorf("got %v read while paused, want nothing", got)
	}
	for _, n := range nodes {
		if row := w.workers[n.k.Worker()]; row.Requests != 1 || row.State != lease.Active || len(row.Held) != 2 || row.Held[0].Moving {
			t.Errorf("got %+v, want the request carried out", row)
		}
		if c := n.k.Counts(w.now); c.Ready || c.Valid <= 0 {
			t.Errorf("got %+v, want leases kept and not ready", c)
		}
	}
	w.run(10 * time.Minute)
	for shard, owner := range w.owned() {
		if owner != before[shard] || w.leases[shard].Counter != generations[shard] {
			t.Errorf("%s: got %s generation %d, want %s generation %d kept", shard, owner, w.leases[shard].Counter, before[shard], generations[shard])
		}
	}
	w.ask(false)
	w.run(3 * time.Second)
	if got := w.holders(); len(got) != 4 {
		t.Errorf("got %v read after resume, want all four", got)
	}
	w.run(time.Minute)
	for shard, owner := range w.owned() {
		if owner != before[shard] || w.leases[shard].Counter != generations[shard]+1 {
			t.Errorf("%s: got %s generation %d, want %s in the generation after %d", shard, owner, w.leases[shard].Counter, before[shard], generations[shard])
		}
	}
}

// What was done before the pause is in the table: nothing is done twice though
// the task dies before it is resumed.
func TestRequests_PauseStoresCheckpoints(t *testing.T) {
	w := newWorld(t, "s0")
	a := w.add("a")
	w.run(time.Minute)
	w.at(w.now, func() { a.c.holds["s0"].checkpoint = &contract.Checkpoint{Sequence: "77"} })
	w.ask(true)
	w.run(4 * time.Second)
	if got := w.leases["s0"]; got.Checkpoint.Sequence != "77" || got.Owner != a.k.Worker() {
		t.Errorf("got %+v, want checkpoint 77 and the owner kept", got)
	}
}

// While paused nobody claims: not the lease of a worker that died, not one that a
// leaving worker released, not a newcomer. A grant that does not drain is over
// with its time, and only then is the request carried out.
func TestRequests_PausedNobodyClaims(t *testing.T) {
	w := newWorld(t, "s0", "s1", "s2")
	a, b, c := w.add("a"), w.add("bb"), w.add("ccc")
	w.run(2 * time.Minute)
	c.c.stuck = true
	w.ask(true)
	w.run(4 * time.Second)
	if row := w.workers[c.k.Worker()]; row.Requests != 0 {
		t.Errorf("got request %d carried out while a grant is live", row.Requests)
	}
	w.run(8 * time.Second)
	if row := w.workers[c.k.Worker()]; row.Requests != 1 {
		t.Errorf("got request %d carried out, want 1 when the grant is over", row.Requests)
	}
	c.c.stuck = false
	w.kill(a)
	w.at(w.now, func() { b.handle(keeper.Shutdown{}) })
	w.add("dddd")
	w.run(5 * time.Minute)
	if got := w.holders(); len(got) != 0 {
		t.Errorf("got %v read while paused, want nothing", got)
	}
	w.ask(false)
	w.run(15 * time.Second)
	if got := w.holders(); len(got) != 3 {
		t.Errorf("got %v after resume, want all three", got)
	}
}

// A claim that is under way when the fleet is paused, and whose answer is lost, is
// neither served nor given back; resumed, it is claimed anew (S4).
func TestRequests_PauseMeetsClaim(t *testing.T) {
	w := newWorld(t, "s0")
	lost := false
	w.fault = func(_ *node, op lease.Op, execute executeFunc, answer answerFunc) bool {
		if lost || !isClaim(op) {
			return false
		}
		lost = true
		execute()
		w.ask(true)
		answer(5*time.Second, lease.Answer{Outcome: lease.Unknown})
		return true
	}
	a := w.add("a")
	w.run(30 * time.Second)
	if got := w.leases["s0"]; got.Owner != a.k.Worker() || got.Counter != 1 || len(w.holders()) != 0 {
		t.Errorf("got %+v, read by %v; want the lease kept as it is, and not read", got, w.holders())
	}
	w.ask(false)
	w.run(3 * time.Second)
	if got := w.holders(); len(got) != 1 {
		t.Errorf("got %v, want the shard read after resume", got)
	}
}

// A released worker hands over everything, stays, takes nothing, and takes part
// again when it is taken back.
func TestRequests_Release(t *testing.T) {
	w := newWorld(t, "s0", "s1", "s2", "s3")
	a := w.add("a")
	w.add("bb")
	w.run(time.Minute)
	w.ask(false, a.k.Worker())
	w.run(12 * time.Second)
	row := w.workers[a.k.Worker()]
	if got := spread(w); got["bb"] != 4 || row == nil || row.State != lease.Draining || len(row.Held) != 0 {
		t.Errorf("got %v and %+v, want everything at bb and a draining", got, row)
	}
	w.run(10 * time.Minute)
	if got := spread(w); got["bb"] != 4 || a.exited {
		t.Errorf("got %v, exited %v, want everything at bb and a waiting", got, a.exited)
	}
	w.ask(false)
	w.run(2 * time.Minute)
	if got := spread(w); got["a"] != 2 || got["bb"] != 2 {
		t.Errorf("got %v, want a to take part again", got)
	}
}

// Where nobody else can take them, a released worker keeps its leases; it gives
// them up when somebody comes.
func TestRequests_ReleaseAlone(t *testing.T) {
	w := newWorld(t, "s0", "s1")
	a := w.add("a")
	w.run(time.Minute)
	w.ask(false, a.k.Worker())
	w.run(time.Minute)
	if got := spread(w); got["a"] != 2 {
		t.Errorf("got %v, want nothing left unread", got)
	}
	w.add("bb")
	w.run(30 * time.Second)
	if got := spread(w); got["bb"] != 2 {
		t.Errorf("got %v, want both at bb", got)
	}
	w.at(w.now, func() { a.handle(keeper.Shutdown{}) })
	w.run(5 * time.Second)
	if !a.exited || a.err != nil {
		t.Errorf("got exited %v with %v, want a released worker to leave as any other", a.exited, a.err)
	}
}

// Requests at random among crashes, newcomers and lost answers: never two readers,
// never a withdrawn generation (the world looks), and all is read in the end.
func TestRequests_Storm(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { storm(t, rand.New(rand.NewPCG(seed, 1))) })
	}
}

func storm(t *testing.T, rng *rand.Rand) {
	w := newWorld(t, "s0", "s1", "s2", "s3", "s4")
	foul := true
	w.fault = func(_ *node, _ lease.Op, execute executeFunc, answer answerFunc) bool {
		if !foul || rng.IntN(20) > 0 {
			return false
		}
		if rng.IntN(2) == 0 {
			w.at(w.now+time.Duration(rng.IntN(3000))*time.Millisecond, func() { execute() }) // late, or after its answer
		}
		answer(time.Second, lease.Answer{Outcome: lease.Unknown})
		return true
	}
	live := []*node{w.add("n0"), w.add("n00")}
	w.run(20 * time.Second)
	for i := range 25 {
		switch rng.IntN(6) {
		case 5:
			w.rewind(lease.TrimHorizon, "s0", "s1", "s3")
		case 0:
			w.ask(!w.stream.Paused, w.stream.Released...)
		case 1:
			w.ask(w.stream.Paused, live[rng.IntN(len(live))].k.Worker())
		case 2:
			w.ask(false)
		case 3:
			at := rng.IntN(len(live))
			w.kill(live[at])
			live = slices.Delete(live, at, at+1)
			fallthrough
		default:
			if len(live) < 4 {
				live = append(live, w.add(fmt.Sprintf("m%d-%0*d", i, i+1, 0)))
			}
		}
		w.run(time.Duration(rng.IntN(12_000)) * time.Millisecond)
	}
	foul = false
	w.ask(false)
	w.run(time.Minute)
	if got := w.holders(); len(got) != 5 {
		t.Errorf("got %v in the end, want all five", got)
	}
}

// Who registers while a pause is asked for, and so is not waited for, knows of it
// before it claims anything, however old its first scan is.
func TestRequests_PauseWhileJoining(t *testing.T) {
	w := newWorld(t, "s0")
	a := w.add("a")
	w.run(10 * time.Second)
	a.handle(keeper.Shutdown{})
	w.run(20 * time.Second)
	if row := w.leases["s0"]; row.Owner != "" {
		t.Fatalf("got %+v, want it released", row)
	}
	scans := 0
	w.fault = func(_ *node, op lease.Op, execute executeFunc, answer answerFunc) bool {
		switch op := op.(type) {
		case lease.WorkerWrite:
			if op.Create == nil {
				return false
			}
			w.at(w.now+4*time.Second, func() { answer(time.Millisecond, execute()) })
			return true
		case lease.ScanWorkers:
			if scans++; scans > 1 {
				answer(500*time.Millisecond, execute())
				return true
			}
		}
		return false
	}
	w.add("b")
	w.run(3500 * time.Millisecond)
	w.ask(true)
	for range 100 {
		w.run(100 * time.Millisecond)
		if got := w.holders(); len(got) > 0 {
			t.Fatalf("%v: got %v read in a paused fleet", w.now, got)
		}
	}
	w.fault = nil
	w.ask(false)
	w.run(10 * time.Second)
	w.expect("s0")
}

// A worker that was declared dead and rejoins says that a pause is carried out
// only when the grants of its earlier life are over.
func TestRequests_PauseAfterRebirth(t *testing.T) {
	w := newWorld(t, "s0", "s1")
	a := w.add("a")
	w.run(time.Minute)
	delete(w.workers, a.k.Worker())
	w.ask(true)
	for end := w.now + 20*time.Second; w.now < end; w.run(10 * time.Millisecond) {
		if row := w.workers[a.k.Worker()]; row != nil && row.Requests == w.stream.Requests {
			if got := w.holders(); len(got) > 0 {
				t.Errorf("got %v read though the row says that the pause is carried out", got)
			}
			return
		}
	}
	t.Error("the row never says that the pause is carried out")
}
