// Package shardmap decides, from a list of the stream's shards and the rows of
// the lease table, which rows to make and which to delete, and what of a shard's
// parents and children is settled. It is pure.
//
// It relies on its caller to have taken the list before the rows (rule 11):
// then a shard without a row that it makes one for cannot be one that was
// finished and deleted in between, unless the list is older than a row's life.
package shardmap

import (
	"maps"
	"sort"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// Missing returns the rows to make, in levels: every row of one level must have
// landed before one of the next is tried, so that no child has a row while a
// listed parent has none (attacks S12, A1). A shard gets no row when it has one
// or when a listed descendant has one, for then it was finished and deleted
// (attack S14).
func Missing(shards []lease.Shard, rows map[string]*lease.Row, stream *lease.Stream) [][]*lease.Row {
	g := newGraph(shards, rows)
	wanted, all := make(map[string]lease.Shard), maps.Clone(rows)
	for _, s := range shards {
		if !g.known(s.ID) {
			wanted[s.ID] = s
		}
	}
	var levels [][]*lease.Row
	for len(wanted) > 0 {
		var level []*lease.Row
		for _, s := range shards {
			if _, want := wanted[s.ID]; want && !waits(s, wanted) {
				level = append(level, first(s, all, stream))
			}
		}
		if len(level) == 0 {
			return levels // parents in a circle: not a stream
		}
		for _, row := range level {
			delete(wanted, row.Shard)
			all[row.Shard] = row
		}
		sort.Slice(level, func(i, j int) bool { return level[i].Shard < level[j].Shard })
		levels = append(levels, level)
	}
	return levels
}

func waits(s lease.Shard, wanted map[string]lease.Shard) bool {
	for _, parent := range s.Parents {
		if _, want := wanted[parent]; want {
			return true
		}
	}
	return false
}

// first is the row a shard begins with. Where LATEST or a time was asked for it
// starts at the one T of the stream, a child that is discovered late too (attack
// S13). But T may be later than the application, whose table was a KCL's or whose
// `#stream` row was lost: a child starts no later than its parents, for all that it
// holds comes after what they hold.
func first(s lease.Shard, rows map[string]*lease.Row, stream *lease.Stream) *lease.Row {
	row := &lease.Row{
		Shard: s.ID, Parents: s.Parents, HashStart: s.HashStart, HashEnd: s.HashEnd,
		Checkpoint: lease.Checkpoint{Sequence: lease.TrimHorizon},
	}
	if stream.InitialPosition != lease.AtTimestamp {
		return row
	}
	at := stream.InitialTimestamp
	for _, id := range s.Parents {
		switch parent := rows[id]; {
		case parent == nil:
		case !parent.StartsAtTime():
			return row
		case !parent.InitialTimestamp.IsZero() && parent.InitialTimestamp.Before(at):
			at = parent.InitialTimestamp
		}
	}
	row.Checkpoint.Sequence, row.InitialTimestamp = lease.AtTimestamp, at
	return row
}

// Settled tells whether the end of a shard may be written: every child its end
// named has a row, or had one and is gone. Without children the end is believed
// only when the list omits the shard (attack S15): a deleted or mistaken stream
// must not finish anything.
func Settled(shard string, children []string, shards []lease.Shard, rows map[string]*lease.Row) bool {
	g := newGraph(shards, rows)
	_, listed := g.listed[shard]
	if len(children) == 0 {
		return !listed
	}
	for _, child := range children {
		_, childListed := g.listed[child]
		if !g.known(child) && (childListed || listed) {
			return false
		}
	}
	return true
}

// Deletable returns, sorted, the rows to delete: finished already before the
// list was asked for (attack A9), finished now, and not in the list any more.
func Deletable(finishedBefore map[string]bool, shards []lease.Shard, rows map[string]*lease.Row) []*lease.Row {
	listed := make(map[string]bool, len(shards))
	for _, s := range shards {
		listed[s.ID] = true
	}
	var gone []*lease.Row
	for id, row := range rows {
		if row.Finished() && finishedBefore[id] && !listed[id] {
			gone = append(gone, row)
		}
	}
	sort.Slice(gone, func(i, j int) bool { return gone[i].Shard < gone[j].Shard })
	return gone
}

// ParentsDone tells whether every parent of row is finished, again where it was
// rewound, or has no row.
func ParentsDone(row *lease.Row, get func(shard string) *lease.Row) bool {
	for _, parent := range row.Parents {
		if row.Awaits(get(parent)) {
			return false
		}
	}
	return true
}

type graph struct {
	listed   map[string]lease.Shard
	children map[string][]string
	rows     map[string]*lease.Row
	memo     map[string]bool
}

func newGraph(shards []lease.Shard, rows map[string]*lease.Row) *graph {
	g := &graph{
		listed: make(map[string]lease.Shard, len(shards)), children: make(map[string][]string),
		rows: rows, memo: make(map[string]bool),
	}
	for _, s := range shards {
		g.listed[s.ID] = s
		for _, parent := range s.Parents {
			g.children[parent] = append(g.children[parent], s.ID)
		}
	}
	return g
}

// known tells whether shard or a listed descendant of it has a row.
func (g *graph) known(shard string) bool {
	if known, done := g.memo[shard]; done {
		return known
	}
	g.memo[shard] = false // ends a circle
	known := g.rows[shard] != nil
	for _, child := range g.children[shard] {
		known = known || g.known(child)
	}
	g.memo[shard] = known
	return known
}
