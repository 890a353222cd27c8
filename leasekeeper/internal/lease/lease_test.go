package lease_test

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

func TestCheckpoint_Compare(t *testing.T) {
	at := func(sequence string, sub int64) lease.Checkpoint {
		return lease.Checkpoint{Sequence: sequence, Sub: sub}
	}
	ordered := []lease.Checkpoint{at(lease.TrimHorizon, 0), at("9", 0), at("10", 0), at("10", 1), at("0011", 0),
		at("49640000000000000000000000000000000000000000000000000000", 0), at(lease.ShardEnd, 0)}
	for i, a := range ordered {
		for j, b := range ordered {
			got := a.Compare(b)
			if i < j && got >= 0 || i > j && got <= 0 || i == j && got != 0 {
				t.Errorf("%v to %v: got %d", a, b, got)
			}
		}
	}
	for _, word := range []string{"", lease.Latest, lease.AtTimestamp} {
		if got := at(word, 0).Compare(ordered[0]); got != 0 {
			t.Errorf("%q to TRIM_HORIZON: got %d, want 0: both are places to start", word, got)
		}
	}
}

// Sequence numbers are compared as numbers (rule 10).
func TestCheckpoint_CompareAsNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.StringMatching("[0-9]{1,60}").Draw(t, "a")
		b := rapid.StringMatching("[0-9]{1,60}").Draw(t, "b")
		x, _ := new(big.Int).SetString(a, 10)
		y, _ := new(big.Int).SetString(b, 10)
		if got := (lease.Checkpoint{Sequence: a}).Compare(lease.Checkpoint{Sequence: b}); got != x.Cmp(y) {
			t.Fatalf("%s to %s: got %d, want %d", a, b, got, x.Cmp(y))
		}
	})
}

func TestOwnForm(t *testing.T) {
	for id, want := range map[string]bool{
		"task/0123abcd": true, "host-1/ffffffff": true, "a/b/0123abcd": true,
		"": false, "/0123abcd": false, "task/0123ABCD": false, "task/0123abc": false, "task/0123abcde": false,
		"host:5e8f9d3c-0000-0000-0000-000000000000": false, "0123abcd": false,
	} {
		if got := lease.OwnForm(id); got != want {
			t.Errorf("%q: got %v, want %v", id, got, want)
		}
	}
}

// EVICTED is final: no heartbeat and no second eviction is applied to it (rule 3).
func TestWorkerWrite_EvictedIsFinal(t *testing.T) {
	row := &lease.Worker{ID: "a/00000001", Counter: 3, State: lease.Evicted}
	for name, w := range map[string]lease.WorkerWrite{
		"beat":  {If: lease.WorkerCondition{Counter: 3}, Put: &lease.Worker{Counter: 4}},
		"evict": {If: lease.WorkerCondition{Counter: 3}, Evict: true},
		"again": {Create: &lease.Worker{Counter: 1}},
	} {
		if got, applied := w.Apply(row); applied || got != row {
			t.Errorf("%s: got %+v applied %v, want the row refused", name, got, applied)
		}
	}
}
