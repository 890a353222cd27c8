package shardmap_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/shardmap"
)

func shard(id string, parents ...string) lease.Shard { return lease.Shard{ID: id, Parents: parents} }

func rows(ids ...string) map[string]*lease.Row {
	m := map[string]*lease.Row{}
	for _, id := range ids {
		name, done := strings.CutSuffix(id, "!")
		m[name] = &lease.Row{Shard: name, Checkpoint: lease.Checkpoint{Sequence: "1"}}
		if done {
			m[name].Checkpoint.Sequence = lease.ShardEnd
		}
	}
	return m
}

func text(levels [][]*lease.Row) string {
	var parts []string
	for _, level := range levels {
		var ids []string
		for _, row := range level {
			ids = append(ids, row.Shard)
		}
		parts = append(parts, strings.Join(ids, ","))
	}
	return strings.Join(parts, " ")
}

func TestMissing(t *testing.T) {
	merge := []lease.Shard{shard("C", "A", "P"), shard("A"), shard("B"), shard("P", "B"), shard("Q", "B")}
	for name, tc := range map[string]struct {
		shards []lease.Shard
		rows   map[string]*lease.Row
		want   string
	}{
		"parents first (S12)":            {merge, rows(), "A,B P,Q C"},
		"unseen parents of a child (A1)": {merge, rows("A", "B"), "P,Q C"},
		"finished and deleted (S14)":     {merge, rows("C"), "Q"},
		"all there":                      {merge, rows("A", "B", "P", "Q", "C"), ""},
		"unlisted parent":                {[]lease.Shard{shard("C", "gone")}, rows(), "C"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := text(shardmap.Missing(tc.shards, tc.rows, &lease.Stream{})); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// Whatever the shards and rows, no row is made before its listed parents have
// theirs or are known to be done (S12).
func TestMissing_ParentsFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var shards []lease.Shard
		have := map[string]*lease.Row{}
		for i := range rapid.IntRange(0, 20).Draw(t, "shards") {
			s := lease.Shard{ID: string(rune('a' + i))}
			for range rapid.IntRange(0, min(2, i)).Draw(t, "parents") {
				s.Parents = append(s.Parents, string(rune('a'+rapid.IntRange(0, i-1).Draw(t, "parent"))))
			}
			if rapid.IntRange(0, 4).Draw(t, "row") == 0 {
				have[s.ID] = &lease.Row{Shard: s.ID}
			}
			shards = append(shards, s)
		}
		skipped := map[string]bool{}
		levels := shardmap.Missing(shards, have, &lease.Stream{})
		made := map[string]bool{}
		for _, level := range levels {
			for _, row := range level {
				made[row.Shard] = true
			}
		}
		for _, s := range shards {
			skipped[s.ID] = have[s.ID] == nil && !made[s.ID]
		}
		there := map[string]bool{}
		for _, level := range levels {
			for _, row := range level {
				for _, p := range row.Parents {
					if have[p] == nil && !there[p] && !skipped[p] {
						t.Fatalf("a row for %s before its parent %s", row.Shard, p)
					}
				}
			}
			for _, row := range level {
				there[row.Shard] = true
			}
		}
	})
}

// S13: every row starts at the stream's one T.
func TestMissing_InitialPosition(t *testing.T) {
	at := time.UnixMilli(123456)
	stream := &lease.Stream{InitialPosition: lease.AtTimestamp, InitialTimestamp: at}
	for _, level := range shardmap.Missing([]lease.Shard{shard("A"), shard("B", "A")}, rows(), stream) {
		for _, row := range level {
			if row.Checkpoint.Sequence != lease.AtTimestamp || !row.InitialTimestamp.Equal(at) {
				t.Errorf("%s: got %+v, want AT_TIMESTAMP T", row.Shard, row)
			}
		}
	}
}

// S13: where T is later than the application, a child starts no later than its
// parents: nothing between their end and T is lost.
func TestMissing_Child(t *testing.T) {
	early, at := time.UnixMilli(100_000), time.UnixMilli(123_456)
	stream := &lease.Stream{InitialPosition: lease.AtTimestamp, InitialTimestamp: at}
	list := []lease.Shard{shard("A"), shard("B"), shard("C", "A", "B"), shard("D", "C")}
	row := func(sequence string, at time.Time) *lease.Row {
		return &lease.Row{Checkpoint: lease.Checkpoint{Sequence: sequence}, InitialTimestamp: at}
	}
	start := func(r *lease.Row) string { return r.Checkpoint.Sequence + r.InitialTimestamp.Format(" 04:05") }
	for name, tc := range map[string]struct {
		a, b *lease.Row
		want *lease.Row // of C and of D
	}{
		"parents begin at T as well":       {nil, nil, row(lease.AtTimestamp, at)},
		"parents as the KCL left them":     {row(lease.Latest, time.Time{}), row(lease.AtTimestamp, time.Time{}), row(lease.AtTimestamp, at)},
		"a parent that begins earlier":     {row(lease.AtTimestamp, early), nil, row(lease.AtTimestamp, early)},
		"a parent that was read in part":   {nil, row("77", time.Time{}), row(lease.TrimHorizon, time.Time{})},
		"… and is rewound, to its start":   {row(lease.TrimHorizon, early), row("77", time.Time{}), row(lease.TrimHorizon, time.Time{})},
		"a parent that was read in whole":  {row(lease.ShardEnd, early), nil, row(lease.TrimHorizon, time.Time{})},
		"a parent that began at its start": {row(lease.TrimHorizon, time.Time{}), row(lease.AtTimestamp, early), row(lease.TrimHorizon, time.Time{})},
	} {
		t.Run(name, func(t *testing.T) {
			have := map[string]*lease.Row{}
			for id, r := range map[string]*lease.Row{"A": tc.a, "B": tc.b} {
				if r != nil {
					have[id] = r
				}
			}
			got := map[string]string{}
			for _, level := range shardmap.Missing(list, have, stream) {
				for _, r := range level {
					got[r.Shard] = start(r)
				}
			}
			if want := start(tc.want); got["C"] != want || got["D"] != want {
				t.Errorf("got %v, want %s for C and D", got, want)
			}
			if len(have) > 2 || have["C"] != nil {
				t.Errorf("got %v, want the rows unchanged", have)
			}
		})
	}
}

func TestSettled(t *testing.T) {
	list := []lease.Shard{shard("A"), shard("B", "A"), shard("C", "A"), shard("D", "B", "C")}
	for name, tc := range map[string]struct {
		shard    string
		children string
		rows     map[string]*lease.Row
		want     bool
	}{
		"children have rows":              {"A", "B C", rows("A", "B", "C"), true},
		"a child has none":                {"A", "B C", rows("A", "B"), false},
		"child done and deleted":          {"A", "B C", rows("A", "D"), true},
		"child not listed yet":            {"A", "X", rows("A"), false},
		"all trimmed":                     {"old", "older", rows("old"), true},
		"no children, listed (S15)":       {"A", "", rows("A"), false},
		"no children, not listed (S15)":   {"old", "", rows("old"), true},
		"child not listed, parent listed": {"B", "X", rows("B"), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := shardmap.Settled(tc.shard, strings.Fields(tc.children), list, tc.rows); got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

// A9: a shard born and finished after the list was asked for is not deleted.
func TestDeletable(t *testing.T) {
	list := []lease.Shard{shard("listed")}
	all := rows("listed!", "young!", "old!", "reading")
	before := map[string]bool{"listed": true, "old": true, "reading": true}
	got := shardmap.Deletable(before, list, all)
	if len(got) != 1 || got[0].Shard != "old" {
		t.Errorf("got %v, want old only", got)
	}
}
