package lease_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

func end() lease.Checkpoint { return lease.Checkpoint{Sequence: lease.ShardEnd} }

// family is a split of p into a and b, a split of a into a1 and a2, and a merge
// of b with q into m; only a1, a2 and m are not finished.
func family() map[string]*lease.Row {
	return map[string]*lease.Row{
		"p":  {Shard: "p", Checkpoint: end()},
		"q":  {Shard: "q", Checkpoint: end()},
		"a":  {Shard: "a", Checkpoint: end(), Parents: []string{"p"}},
		"b":  {Shard: "b", Checkpoint: end(), Parents: []string{"p"}},
		"a1": {Shard: "a1", Checkpoint: lease.Checkpoint{Sequence: "7"}, Parents: []string{"a"}},
		"a2": {Shard: "a2", Checkpoint: lease.Checkpoint{Sequence: "8"}, Parents: []string{"a"}},
		"m":  {Shard: "m", Checkpoint: lease.Checkpoint{Sequence: "9"}, Parents: []string{"b", "q"}},
	}
}

func getter(rows map[string]*lease.Row) func(string) *lease.Row {
	return func(shard string) *lease.Row { return rows[shard] }
}

func asked(r *lease.Rewind, rows map[string]*lease.Row) string {
	asking := r.Of(getter(rows))
	var shards []string
	for _, shard := range slices.Sorted(maps.Keys(rows)) {
		if asking.Asks(rows[shard]) {
			shards = append(shards, shard)
		}
	}
	return fmt.Sprint(shards)
}

// What is below a finished shard that is read again is read again, named or not,
// and each row once.
func TestAsking_Asks(t *testing.T) {
	for name, tc := range map[string]struct {
		shards []string
		change func(rows map[string]*lease.Row)
		want   string
	}{
		"named, not finished":    {[]string{"a1"}, nil, "[a1]"},
		"everything below":       {[]string{"p"}, nil, "[a a1 a2 b m p]"},
		"below a middle one":     {[]string{"a"}, nil, "[a a1 a2]"},
		"below one of two":       {[]string{"q"}, nil, "[m q]"},
		"rewound already":        {[]string{"p"}, func(rows map[string]*lease.Row) { rows["p"].Rewound = 5 }, "[]"},
		"read again":             {[]string{"p"}, func(rows map[string]*lease.Row) { rows["p"].Checkpoint.Sequence = "3" }, "[p]"},
		"waits already":          {[]string{"q"}, func(rows map[string]*lease.Row) { rows["m"].Rewound, rows["m"].Behind = 5, map[string]int64{"q": 5} }, "[q]"},
		"rewound, but waits not": {[]string{"q"}, func(rows map[string]*lease.Row) { rows["m"].Rewound = 5 }, "[m q]"},
		"a row that is gone":     {[]string{"p"}, func(rows map[string]*lease.Row) { delete(rows, "p") }, "[]"},
		"one that is made later": {[]string{"x"}, nil, "[]"},
	} {
		t.Run(name, func(t *testing.T) {
			rows := family()
			if tc.change != nil {
				tc.change(rows)
			}
			if got := asked(&lease.Rewind{ID: 5, To: lease.TrimHorizon, Shards: tc.shards}, rows); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
	if got := asked(nil, family()); got != "[]" {
		t.Errorf("got %v asked for by no rewind, want nothing", got)
	}
}

// A row whose parents are to be read again is left to nobody and waits for those
// alone; a sequence number is of the shard that is named.
func TestAsking_CarryOut(t *testing.T) {
	rows := family()
	rows["m"].Behind = map[string]int64{"b": 2}
	r := &lease.Rewind{ID: 5, To: "42", Shards: []string{"q"}}
	asking := r.Of(getter(rows))
	change := lease.LeaseChange{Owner: "w", Counter: 1, OwnerSwitches: 3}
	if !asking.CarryOut(rows["m"], &change) || change.Owner != "" || change.Checkpoint.Sequence != lease.TrimHorizon ||
		!maps.Equal(change.Behind, map[string]int64{"b": 2, "q": 5}) || change.OwnerSwitches != 0 {
		t.Errorf("m: got %+v, want it left at its beginning, waiting for q", change)
	}
	row, _ := lease.LeaseWrite{Change: &change}.Apply(rows["m"])
	if row.Rewound != 5 || !row.Awaits(rows["q"]) || row.Awaits(nil) || !row.Awaits(&lease.Row{Shard: "b", Checkpoint: end(), Rewound: 1}) {
		t.Errorf("m: got %+v, want it to wait until q is finished again", row)
	}
	if !r.Frees(row, "q") || r.Frees(rows["m"], "q") || r.Frees(row, "b") {
		t.Error("want q free when m waits for it, not before")
	}
	change = lease.LeaseChange{Owner: "w"}
	if !asking.CarryOut(rows["q"], &change) || change.Owner != "w" || change.Checkpoint.Sequence != "42" || change.Behind != nil {
		t.Errorf("q: got %+v, want it at 42", change)
	}
	if change = (lease.LeaseChange{Owner: "w"}); asking.CarryOut(rows["a1"], &change) || change.Rewind != nil {
		t.Errorf("a1: got %+v, want it as it was", change)
	}
}

// A year of splits and merges: two parents each, seven hundred levels deep.
func TestAsking_Deep(t *testing.T) {
	rows := map[string]*lease.Row{}
	var above []string
	for level := range 700 {
		pair := []string{fmt.Sprintf("%03d-a", level), fmt.Sprintf("%03d-b", level)}
		for _, shard := range pair {
			rows[shard] = &lease.Row{Shard: shard, Checkpoint: end(), Parents: above}
		}
		above = pair
	}
	r := &lease.Rewind{ID: 1, To: lease.TrimHorizon, Shards: []string{"000-b"}}
	asking, n := r.Of(getter(rows)), 0
	for _, row := range rows {
		if asking.Asks(row) {
			n++
		}
	}
	if n != 1399 {
		t.Errorf("got %d rows, want all but one", n)
	}
}
