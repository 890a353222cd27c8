package keeper_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// Readiness says what is wrong: a consumer that renews but is stuck, or is away.
func TestStatus_Reason(t *testing.T) {
	w := newWorld(t, "s0")
	a := w.add("a")
	w.run(90 * time.Second)
	if got := a.k.Status(w.now).Reason; got != "" {
		t.Fatalf("got %q, want ready: an idle shard need not move", got)
	}
	a.c.lag = 90_000
	w.run(50 * time.Second)
	if got := a.k.Status(w.now).Reason; got != "" {
		t.Fatalf("got %q within a minute", got)
	}
	w.run(15 * time.Second)
	if got := a.k.Status(w.now).Reason; !strings.Contains(got, "stands still") {
		t.Errorf("got %q, want the stuck shard named", got)
	}
	a.checkpoint("9")
	w.run(3 * time.Second)
	if got := a.k.Status(w.now).Reason; got != "" {
		t.Errorf("got %q after progress, want ready", got)
	}
	a.c.die()
	w.run(5 * time.Second)
	if got := a.k.Status(w.now).Reason; got != "no consumer is attached" {
		t.Errorf("got %q, want the consumer missed", got)
	}
}

// Readiness does not hide that the stream cannot be listed: before the first
// lease, and where the end of a shard waits for it.
func TestStatus_NotListed(t *testing.T) {
	w := newWorld(t, "s0")
	denied := func(_ *node, op lease.Op, _ executeFunc, answer answerFunc) bool {
		_, list := op.(lease.ListShards)
		if list {
			answer(time.Millisecond, lease.Answer{Outcome: lease.Failed, Err: errDenied})
		}
		return list
	}
	w.fault = denied
	a := w.add("a")
	w.run(10 * time.Second)
	if got := a.k.Status(w.now).Reason; got != "the stream's shards could not be listed: denied" {
		t.Errorf("got %q on new tables, want the cause", got)
	}
	w.fault = nil
	w.run(time.Minute)
	if got := a.k.Status(w.now).Reason; got != "" {
		t.Fatalf("got %q, want ready", got)
	}
	w.fault = denied
	w.listing.Shards = append(w.listing.Shards, lease.Shard{ID: "s1", Parents: []string{"s0"}})
	a.end("s0", "s1")
	w.run(55 * time.Second)
	if got := a.k.Status(w.now).Reason; got != "" {
		t.Errorf("got %q within a minute", got)
	}
	w.run(10 * time.Second)
	if got := a.k.Status(w.now).Reason; got != "shard s0 was read to its end, which waits for the stream's list to show its children" {
		t.Errorf("got %q, want the shard named", got)
	}
	w.fault = nil
	w.run(10 * time.Second)
	if got := a.k.Status(w.now).Reason; got != "" || a.c.holds["s1"] == nil {
		t.Errorf("got %q and %v, want the child read", got, a.c.holds)
	}
}

var errDenied = errors.New("denied")

// The status has every worker and lease, with owners as peers tell them.
func TestStatus_Leases(t *testing.T) {
	w := newWorld(t, "s0", "s1")
	a, b := w.add("a"), w.add("bb")
	w.leases["s9"] = &lease.Row{Shard: "s9", Parents: []string{"s0"}, Checkpoint: lease.Checkpoint{Sequence: lease.TrimHorizon}}
	w.listing.Shards = append(w.listing.Shards, lease.Shard{ID: "s8"})
	w.leases["s8"] = &lease.Row{Shard: "s8", Counter: 4, Checkpoint: lease.Checkpoint{Sequence: lease.ShardEnd}}
	w.run(2 * time.Minute)
	s := a.k.Status(w.now)
	if len(s.Workers) != 2 || len(s.Leases) != 4 || len(s.Moves) == 0 {
		t.Fatalf("got %d workers, %d leases, %d moves", len(s.Workers), len(s.Leases), len(s.Moves))
	}
	states, owners := map[string]string{}, map[string]bool{}
	for _, l := range s.Leases {
		states[l.Shard] = l.State
		owners[l.Owner] = true
	}
	for shard, want := range map[string]string{"s0": "held", "s1": "held", "s9": "waiting", "s8": "finished"} {
		if states[shard] != want {
			t.Errorf("%s: got %s, want %s", shard, states[shard], want)
		}
	}
	if !owners[a.k.Worker()] || !owners[b.k.Worker()] {
		t.Errorf("got owners %v, want both workers", owners)
	}
}
