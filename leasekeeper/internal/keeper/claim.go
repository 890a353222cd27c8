package keeper

import (
	"slices"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// claim is one attempt to get a lease, from the look at its parents to a known
// end (rule 4).
type claim struct {
	*life
	shard    string
	fresh    bool // nobody else was seen to have it
	attempts int  // without an answer
	refusals int
	asked    int          // answers about parents still to come
	parents  []*lease.Row // that have a row, as they were read
	unread   bool         // a parent could not be read
}

// claim starts to claim a lease, unless that is under way, a cap forbids it, or
// a grant of an earlier generation may still be live.
func (l *life) claim(shard string) {
	row := l.view.get(shard)
	switch {
	case row == nil || l.claims[shard] != nil || l.holdings[shard] != nil:
		return
	case l.cfg.MaxLeases > 0 && len(l.holdings)+len(l.claims) >= l.cfg.MaxLeases:
		return
	case l.now < l.over[shard]:
		l.timers.after(l.over[shard], func() { l.dirty = true })
		return
	}
	delete(l.over, shard)
	c := &claim{life: l, shard: shard, fresh: l.planning.fresh(l.planning.outlook(shard))}
	l.claims[shard] = c
	c.begin(row)
}

// begin re-reads the parents before a child is claimed that was not read since
// its parents were (rule 11, S12). Once read, its parents are done, and that is
// final until the row itself is rewound.
func (c *claim) begin(row *lease.Row) {
	if row.Checkpoint.IsNumber() && len(row.Behind) == 0 || len(row.Parents) == 0 {
		c.write(row)
		return
	}
	c.asked, c.parents, c.unread = len(row.Parents), nil, false
	for _, parent := range row.Parents {
		c.view.readOne(parent, c.parentRead)
	}
}

func (c *claim) parentRead(parent *lease.Row, read bool) {
	c.asked--
	c.unread = c.unread || !read
	if parent != nil {
		c.parents = append(c.parents, parent)
	}
	if c.asked > 0 {
		return
	}
	row := c.view.get(c.shard)
	if c.unread || row == nil || slices.ContainsFunc(c.parents, row.Awaits) {
		c.end()
		return
	}
	c.write(row)
}

// write claims the lease from row, which was read just now or a while ago; with
// parents that are to be read again before it, it is rewound and left to nobody.
func (c *claim) write(row *lease.Row) {
	if !c.view.claimable(row) || !c.able() {
		c.end()
		return
	}
	write := lease.LeaseWrite{
		Shard:  c.shard,
		If:     lease.LeaseCondition{Owner: row.Owner, Counter: row.Counter},
		Change: &lease.LeaseChange{Owner: c.self.id, Counter: row.Counter + 1, WorkerTable: c.cfg.WorkerTable, OwnerSwitches: switches(row, c.self.id), DropForeign: true},
	}
	c.requests.rewound(row, write.Change)
	c.repeat(write)
}

func switches(row *lease.Row, owner string) int64 {
	if row.Owner == owner {
		return row.OwnerSwitches
	}
	return row.OwnerSwitches + 1
}

// repeat attempts the same write until it is known what became of it (A10).
func (c *claim) repeat(write lease.LeaseWrite) {
	c.do(write, func(a lease.Answer) {
		switch a.Outcome {
		case lease.Applied:
			c.end()
			if write.Change.Owner == "" {
				c.view.put(a.Lease)
				return
			}
			c.counts.Claims++
			c.hold(a.Lease).fresh = c.fresh
		case lease.Refused:
			c.refused(a.Lease)
		case lease.Failed:
			c.end()
		default:
			c.timers.after(c.now+c.backoff(c.attempts), func() { c.repeat(write) })
			c.attempts++
		}
	})
}

// refused: never taken for an earlier claim of ours that had landed, whoever
// the row names: the lease is claimed again from the row (S4), the first time at
// once, for somebody else may have written it.
func (c *claim) refused(row *lease.Row) {
	c.counts.ClaimsRefused++
	if row == nil {
		c.end()
		c.view.drop(c.shard)
		return
	}
	c.view.put(row)
	c.refusals++
	if c.refusals == refusedOften {
		c.note(Warn, "a claim is refused again and again: is something else writing the row?", rowFields(row)...)
	}
	if c.refusals == 1 {
		c.begin(row)
		return
	}
	c.timers.after(c.now+c.backoff(c.refusals), func() {
		if row := c.view.get(c.shard); row != nil {
			c.begin(row)
		} else {
			c.end()
		}
	})
}

// refusedOften is how many refusals in a row are no coincidence any more.
const refusedOften = 4

func rowFields(row *lease.Row) []Field {
	return []Field{{"shard", row.Shard}, {"owner", row.Owner}, {"generation", row.Counter}, {"checkpoint", checkpointText(row.Checkpoint)}}
}

func (c *claim) end() {
	delete(c.claims, c.shard)
	c.dirty = true
}

// disown releases a lease found with this worker's own name, from a claim whose
// answer was lost, that it cannot serve: nobody else may claim it (A10).
func (l *life) disown(row *lease.Row) {
	stored := row.Checkpoint
	l.do(lease.LeaseWrite{
		Shard:  row.Shard,
		If:     lease.LeaseCondition{Owner: l.self.id, Counter: row.Counter, Checkpoint: &stored},
		Change: &lease.LeaseChange{Counter: row.Counter + 1, OwnerSwitches: row.OwnerSwitches},
	}, func(a lease.Answer) {
		if a.Lease != nil {
			l.view.put(a.Lease)
		}
	})
}
