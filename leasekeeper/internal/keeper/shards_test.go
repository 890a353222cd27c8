package keeper_test

import (
	"strings"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// checkpoint has the task's consumer report a sequence number of shard s0.
func (n *node) checkpoint(sequence string) {
	n.c.holds["s0"].checkpoint = &contract.Checkpoint{Sequence: sequence}
}

// end has the consumer report the end of a shard.
func (n *node) end(shard string, children ...string) {
	h := n.c.holds[shard]
	h.state = contract.Ended
	n.c.stop(shard)
	for _, c := range children {
		h.children = append(h.children, contract.ChildShard{Shard: c, Parents: []string{shard}})
	}
}

// Rule 10, S1: a checkpoint write that lands late, after another, does not take
// the checkpoint back. The world fails a test in which one goes back.
func TestCheckpoint_LateWrite(t *testing.T) {
	w := newWorld(t, "s0")
	a := w.add("a")
	w.run(5 * time.Second)
	late := 0
	w.fault = func(_ *node, op lease.Op, execute executeFunc, answer answerFunc) bool {
		write, ok := op.(lease.LeaseWrite)
		if !ok || write.Change == nil || write.Change.Checkpoint == nil || late > 0 {
			return false
		}
		late++
		w.at(w.now+9*time.Second, func() { execute() })
		answer(300*time.Millisecond, lease.Answer{Outcome: lease.Unknown})
		return true
	}
	a.checkpoint("99")
	w.run(4 * time.Second)
	a.checkpoint("100") // a longer number: as a string it would be before 99
	w.run(30 * time.Second)
	if got := w.leases["s0"].Checkpoint.Sequence; got != "100" || late == 0 {
		t.Errorf("got checkpoint %s after %d late writes, want 100 after one", got, late)
	}
}

// Rule 10: nothing is written where nothing moved.
func TestCheckpoint_Idle(t *testing.T) {
	w := newWorld(t, "s0")
	a := w.add("a")
	w.run(5 * time.Second)
	a.checkpoint("7")
	w.run(10 * time.Second)
	writes := 0
	w.fault = func(_ *node, op lease.Op, _ executeFunc, _ answerFunc) bool {
		if _, ok := op.(lease.LeaseWrite); ok {
			writes++
		}
		return false
	}
	w.run(10 * time.Minute)
	if writes > 0 {
		t.Errorf("got %d writes of an idle lease, want none", writes)
	}
}

// Rule 10: a restarted worker's lease resumes at the checkpoint that its own
// release wrote.
func TestCheckpoint_Handover(t *testing.T) {
	w := newWorld(t, "s0")
	cfg := config("a")
	cfg.CheckpointInterval = time.Hour // so that only the release writes it
	a := w.addAlone(cfg)
	a.attach()
	w.run(5 * time.Second)
	a.checkpoint("1234")
	w.run(50 * time.Millisecond)
	b := w.add("bb")
	w.run(time.Second)
	a.c.draining = true
	w.run(8 * time.Second)
	h := b.c.holds["s0"]
	if h == nil || h.start.Type != contract.AtSequenceNumber || h.start.Sequence != "1234" {
		t.Errorf("got %+v, want bb to start at 1234", h)
	}
}

// Rule 11: the children of a split are read at once when the parent is done,
// here by whoever finished it, and by nobody before (I3).
func TestShards_Split(t *testing.T) {
	w := newWorld(t, "s0")
	a := w.add("a")
	w.add("bb")
	w.run(30 * time.Second)
	w.listing.Shards = append(w.listing.Shards, lease.Shard{ID: "s1", Parents: []string{"s0"}}, lease.Shard{ID: "s2", Parents: []string{"s0"}})
	w.run(4 * time.Minute) // found by the regular sync
	if w.leases["s1"] == nil || w.leases["s1"].Counter != 0 {
		t.Fatalf("got %+v, want a row that nobody claimed while its parent is read", w.leases["s1"])
	}
	owner := a
	if a.c.holds["s0"] == nil {
		owner = w.nodes[1]
	}
	owner.end("s0", "s1", "s2")
	for start := w.now; w.now < start+2500*time.Millisecond && !w.leases["s0"].Finished(); { // its report waits for the call under way
		w.run(time.Millisecond)
	}
	w.run(50 * time.Millisecond)
	if got := w.holders(); got["s1"] != owner.name || got["s2"] != owner.name {
		t.Fatalf("got %v, want both children read at once by %s, who finished their parent", got, owner.name)
	}
	row := w.leases["s0"]
	if !row.Finished() || row.Owner != "" || strings.Join(row.Children, " ") != "s1 s2" {
		t.Errorf("got %+v, want the parent finished with its children", row)
	}
	w.run(time.Minute)
	if got := spread(w); got["a"] != 1 || got["bb"] != 1 {
		t.Errorf("got %v, want one child each in the end", got)
	}
}

// Rule 11, A1: B splits into P and Q while B lags, then A and P merge into C
// before any sync. The end of A makes rows for P and Q too, and C waits for P.
// A2: the second parent to end finds the child's row there and still ends.
func TestShards_MergeOfUnseen(t *testing.T) {
	w := newWorld(t, "A", "B")
	a := w.add("a")
	w.run(5 * time.Second)
	w.listing.Shards = append(w.listing.Shards,
		lease.Shard{ID: "P", Parents: []string{"B"}}, lease.Shard{ID: "Q", Parents: []string{"B"}},
		lease.Shard{ID: "C", Parents: []string{"A", "P"}})
	a.end("A", "C")
	w.run(10 * time.Second)
	if !w.leases["A"].Finished() || w.leases["P"] == nil || w.leases["Q"] == nil || w.leases["C"] == nil {
		t.Fatalf("got %v, want A finished and a row for every shard", w.leases)
	}
	if got := w.holders(); got["C"] != "" {
		t.Fatal("C is read before P is done")
	}
	a.end("B", "P", "Q")
	w.run(5 * time.Second)
	if got := w.holders(); got["P"] == "" || got["C"] != "" {
		t.Fatalf("got %v, want P read and C not", got)
	}
	a.end("P", "C")
	w.run(5 * time.Second)
	if got := w.holders(); got["C"] == "" {
		t.Errorf("got %v, want C read", got)
	}
}

// Rule 11: a child that is not listed yet holds the end of its parent up.
func TestShards_ChildNotListedYet(t *testing.T) {
	w := newWorld(t, "s0")
	a := w.add("a")
	w.run(5 * time.Second)
	a.end("s0", "s1")
	w.run(5 * time.Second)
	if w.leases["s0"].Finished() {
		t.Fatal("the parent is finished while its child has no row")
	}
	w.listing.Shards = append(w.listing.Shards, lease.Shard{ID: "s1", Parents: []string{"s0"}})
	w.run(5 * time.Second)
	if got := w.holders(); got["s1"] == "" || !w.leases["s0"].Finished() {
		t.Errorf("got %v, want the child read", got)
	}
}

// Rule 11, S12: who claims a child reads its parents again: a view that says
// they are done is not enough.
func TestShards_ParentsAreReread(t *testing.T) {
	w := newWorld(t, "s0")
	w.stream = &lease.Stream{ARN: w.listing.ARN, CreatedAt: w.listing.CreatedAt, ShardMapVersion: 1, InitialPosition: lease.TrimHorizon}
	w.leases["s1"] = &lease.Row{Shard: "s1", Parents: []string{"s0"}, Checkpoint: lease.Checkpoint{Sequence: lease.TrimHorizon}}
	w.leases["s0"] = &lease.Row{Shard: "s0", Checkpoint: lease.Checkpoint{Sequence: lease.TrimHorizon}}
	w.fault = func(_ *node, op lease.Op, execute executeFunc, answer answerFunc) bool {
		if _, scan := op.(lease.ScanLeases); !scan {
			return false
		}
		got := execute() // a scan is no snapshot: this one misses the parent
		got.Leases = []*lease.Row{w.leases["s1"]}
		answer(time.Millisecond, got)
		return true
	}
	w.add("a")
	w.run(10 * time.Second)
	if got := w.holders(); got["s1"] != "" {
		t.Error("a child is read although its parent is not done")
	}
}

// Rule 11, S15: an end without children is believed only when the stream no
// longer lists the shard; else it is read again, newly claimed.
func TestShards_EndWithoutChildren(t *testing.T) {
	w := newWorld(t, "s0", "s1")
	a := w.add("a")
	w.run(5 * time.Second)
	before := a.c.holds["s0"].generation
	a.end("s0")
	w.run(20 * time.Second)
	if w.leases["s0"].Finished() {
		t.Fatal("a listed shard was finished without children")
	}
	if h := a.c.holds["s0"]; h == nil || h.generation <= before {
		t.Fatalf("got %+v, want the shard granted again by a new claim", h)
	}
	w.listing.Shards = w.listing.Shards[1:]
	a.end("s0")
	w.run(5 * time.Second)
	if !w.leases["s0"].Finished() {
		t.Error("a shard that is gone from the stream is not finished")
	}
	if got := a.k.Counts(w.now).Trimmed; got != 1 {
		t.Errorf("got %d shards reported as trimmed away unread, want 1", got)
	}
	// A row goes when the previous scan had it finished and the list omits it.
	w.run(5 * time.Minute)
	if w.leases["s0"] != nil {
		t.Error("the row of a finished shard that is not listed is still there")
	}
}

// Rule 12, S13, A5: LATEST is resolved once, from the service's time; a child
// found later starts there too.
func TestShards_Latest(t *testing.T) {
	w := newWorld(t, "s0")
	cfg := config("a")
	cfg.InitialPosition = lease.Latest
	a := w.addAlone(cfg)
	a.attach()
	w.run(5 * time.Second)
	w.listing.Now = w.listing.Now.Add(time.Hour)
	w.listing.Shards = append(w.listing.Shards, lease.Shard{ID: "s1"})
	w.run(3 * time.Minute)
	for _, shard := range []string{"s0", "s1"} {
		want := contract.Start{Type: contract.AtTimestamp, TimestampMS: 5000_000}
		if h := a.c.holds[shard]; h == nil || h.start != want {
			t.Errorf("%s: got %+v, want start %+v", shard, h, want)
		}
	}
}

// A time that is yet to come is refused before it is T for ever.
func TestShards_TimeToCome(t *testing.T) {
	w := newWorld(t, "s0")
	cfg := config("a")
	cfg.InitialPosition, cfg.InitialTimestamp = lease.AtTimestamp, w.listing.Now.Add(time.Second)
	a := w.addAlone(cfg)
	w.run(5 * time.Second)
	if !a.exited || a.err == nil || !strings.Contains(a.err.Error(), "LEASEKEEPER_INITIAL_POSITION: "+cfg.InitialTimestamp.Format(time.RFC3339)+" is yet to come") || w.stream != nil {
		t.Errorf("got exited %v with %v and %+v, want a refusal and no row", a.exited, a.err, w.stream)
	}
	cfg.InitialTimestamp = w.listing.Now
	w.addAlone(cfg).attach()
	w.run(5 * time.Second)
	if row := w.leases["s0"]; row == nil || !row.InitialTimestamp.Equal(w.listing.Now) {
		t.Errorf("got %+v, want a lease that starts at the time given", row)
	}
}

// S13: where the worker table was lost, or the lease table is a KCL's, T is later
// than the application. A child that was made meanwhile is read from its beginning.
func TestShards_LatestAnew(t *testing.T) {
	w := newWorld(t, "s0")
	w.listing.Shards = append(w.listing.Shards, lease.Shard{ID: "s1", Parents: []string{"s0"}})
	w.leases["s0"] = &lease.Row{Shard: "s0", Counter: 5, Checkpoint: lease.Checkpoint{Sequence: "77"}}
	cfg := config("a")
	cfg.InitialPosition = lease.Latest
	a := w.addAlone(cfg)
	a.attach()
	w.run(5 * time.Second)
	a.end("s0", "s1")
	w.run(5 * time.Second)
	if h := a.c.holds["s1"]; h == nil || h.start.Type != contract.TrimHorizon {
		t.Errorf("got %+v, want s1 to be read from its beginning", h)
	}
}

// Another stream's tables, and a stream that was made anew, are refused.
func TestShards_OtherStream(t *testing.T) {
	w := newWorld(t, "s0")
	a := w.add("a")
	w.run(5 * time.Second)
	w.listing.CreatedAt = w.listing.CreatedAt.Add(time.Hour)
	b := w.add("bb")
	w.run(5 * time.Second)
	if !b.exited || b.err == nil || !strings.Contains(b.err.Error(), "belongs to stream") {
		t.Errorf("got exited %v with %v, want a refusal", b.exited, b.err)
	}
	w.run(3 * time.Minute)
	if !a.exited || a.err == nil {
		t.Errorf("got exited %v with %v, want the running worker to stop as well", a.exited, a.err)
	}
}

// L4: a version that was never bumped is made good by the scan of every minute.
func TestShards_MissedVersion(t *testing.T) {
	w := newWorld(t, "s0")
	w.add("a")
	b := w.add("bb")
	w.run(30 * time.Second)
	w.fault = func(_ *node, op lease.Op, _ executeFunc, answer answerFunc) bool {
		write, ok := op.(lease.StreamWrite)
		if ok && write.Create == nil {
			answer(time.Millisecond, lease.Answer{Outcome: lease.Applied, Stream: w.stream}) // lost
		}
		return ok
	}
	w.leases["s1"] = &lease.Row{Shard: "s1", Checkpoint: lease.Checkpoint{Sequence: lease.TrimHorizon}}
	w.leases["s2"] = &lease.Row{Shard: "s2", Checkpoint: lease.Checkpoint{Sequence: lease.TrimHorizon}}
	w.run(90 * time.Second)
	if got := w.holders(); len(got) != 3 || len(b.c.holds) == 0 {
		t.Errorf("got %v, want the new rows read", got)
	}
}

// L8: every worker lists the stream, every minute times the number of workers.
func TestShards_DiscoveryRate(t *testing.T) {
	w := newWorld(t, "s0")
	lists := 0
	w.fault = func(_ *node, op lease.Op, _ executeFunc, _ answerFunc) bool {
		if _, ok := op.(lease.ListShards); ok {
			lists++
		}
		return false
	}
	for _, name := range []string{"a", "bb", "ccc", "dddd"} {
		w.add(name)
	}
	w.run(time.Minute)
	lists = 0
	w.run(20 * time.Minute)
	if lists < 14 || lists > 28 {
		t.Errorf("got %d lists in 20 minutes by four workers, want about one a minute together", lists)
	}
}

// A stream that cannot be listed for good is asked ever more seldom: the account
// has one limit for all. A shard's end that waits for the list has it asked again
// within seconds.
func TestShards_DiscoveryFails(t *testing.T) {
	w := newWorld(t, "s0")
	a := w.add("a")
	w.run(10 * time.Second)
	lists := 0
	w.fault = func(_ *node, op lease.Op, _ executeFunc, answer answerFunc) bool {
		if _, ok := op.(lease.ListShards); !ok {
			return false
		}
		lists++
		answer(time.Millisecond, lease.Answer{Outcome: lease.Failed})
		return true
	}
	w.run(2 * time.Minute)
	lists = 0
	w.run(10 * time.Minute)
	if lists < 15 || lists > 30 {
		t.Errorf("got %d lists in ten minutes, want about one each half a minute", lists)
	}
	a.c.holds["s0"].state = contract.Ended
	a.c.holds["s0"].children = []contract.ChildShard{{Shard: "s1", Parents: []string{"s0"}}}
	w.run(5 * time.Second)
	lists = 0
	w.run(time.Minute)
	if lists < 20 {
		t.Errorf("got %d lists in a minute, want one every second or two: the shard's end waits", lists)
	}
	w.listing.Shards = append(w.listing.Shards, lease.Shard{ID: "s1", Parents: []string{"s0"}})
	w.fault = nil
	w.run(5 * time.Second)
	if got := w.holders(); got["s1"] != "a" {
		t.Errorf("got %v, want the child read soon", got)
	}
}
