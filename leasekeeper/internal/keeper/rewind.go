package keeper

import (
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// asked is what the rewind that stands asks of the rows as this worker knows them.
func (r *requests) asked() *lease.Asking {
	if r.asking == nil {
		r.asking = r.rewind.Of(r.view.get)
	}
	return r.asking
}

// asks tells whether row is still to be rewound.
func (r *requests) asks(row *lease.Row) bool { return r.asked().Asks(row) }

// waits tells whether row, once rewound, waits for parents that are read again.
func (r *requests) waits(row *lease.Row) bool { return len(r.asked().Parents(row)) > 0 }

// rewound has a change that makes a new generation of row, and is not sent yet,
// carry out the rewind that was asked for, if it was not yet: so that it happens
// once, and every write of the generations before it is refused.
func (r *requests) rewound(row *lease.Row, change *lease.LeaseChange) {
	if r.asked().CarryOut(row, change) {
		r.tellRewound(row, change)
	}
}

func (r *requests) tellRewound(row *lease.Row, change *lease.LeaseChange) {
	r.note(Info, "rewinding lease", Field{"shard", row.Shard}, Field{"generation", change.Counter}, Field{"request", change.Rewind.ID},
		Field{"from", checkpointText(row.Checkpoint)}, Field{"to", change.Checkpoint.Sequence})
	r.move("rewound to "+change.Checkpoint.Sequence, row.Shard, "", "")
}

// sweep plans a look at the rows that are to be rewound and need nobody to hold
// them: finished ones, and those that wait for a parent, or will. They have no
// owner, or a dead one, so anybody may write them. The pause is of chance and grows with the fleet: on
// the average somebody looks every half a heartbeat, however many workers there are.
func (r *requests) sweep() {
	if r.rewind == nil || r.sweeping || r.sweepTimer.pending() || !r.sweeps() || !r.ownerless() {
		return
	}
	most := r.cfg.heartbeat() / 2 * time.Duration(max(1, len(r.peers.live())))
	r.timers.set(r.sweepTimer, r.now+time.Duration(r.rng.Int64N(int64(most))), r.look)
}

// sweeps tells whether rows without an owner may be rewound now. While the fleet
// is paused nothing of the tables moves.
func (r *requests) sweeps() bool {
	return r.self.good && !r.leaving && !r.paused && r.view.known && !r.view.frozen()
}

// ownerless tells whether there is a row that only a sweep will rewind.
func (r *requests) ownerless() bool {
	for _, s := range r.view.leases {
		if r.asks(s.row) && r.sweepable(s.row) {
			return true
		}
	}
	return false
}

func (r *requests) sweepable(row *lease.Row) bool {
	if row.Finished() {
		return true
	}
	return r.view.claimable(row) && row.Owner != r.self.id && r.now >= r.over[row.Shard] && (r.view.waitsForParents(row) || r.waits(row))
}

// look reads all rows and rewinds those it may. A finished row was finished in
// the same generation before the read began: only then are all its children
// certainly among the rows (their rows come before its end).
func (r *requests) look() {
	if r.rewind == nil || r.sweeping {
		return
	}
	r.sweeping = true
	id, before := r.rewind.ID, make(map[string]int64)
	for _, s := range r.view.leases {
		if s.row.Finished() {
			before[s.shard] = s.row.Counter
		}
	}
	r.view.scanThen(func(rows []*lease.Row) {
		r.sweeping, r.dirty = false, true
		if r.rewind == nil || r.rewind.ID != id || !r.sweeps() {
			return
		}
		byShard, children := make(map[string]*lease.Row, len(rows)), make(map[string][]*lease.Row)
		for _, row := range rows {
			byShard[row.Shard] = row
			for _, parent := range row.Parents {
				children[parent] = append(children[parent], row)
			}
		}
		asking := r.rewind.Of(func(shard string) *lease.Row { return byShard[shard] })
		for _, row := range rows {
			if asking.Asks(row) && r.sweepable(row) && r.freed(row, children[row.Shard], before) {
				r.takeBack(row, asking)
			}
		}
	})
}

// freed tells whether row, if it is finished, may be read again: each of its
// children waits for that, so none is read, and none will be before (I3).
func (r *requests) freed(row *lease.Row, children []*lease.Row, before map[string]int64) bool {
	if !row.Finished() {
		return true
	}
	if counter, was := before[row.Shard]; !was || counter != row.Counter {
		return false
	}
	for _, child := range children {
		if !r.rewind.Frees(child, row.Shard) {
			return false
		}
	}
	return true
}

// takeBack rewinds a row that has no live owner, once: whoever is first moves the
// generation, and the shard map's version so that everybody reads the rows.
func (r *requests) takeBack(row *lease.Row, asking *lease.Asking) {
	change := lease.LeaseChange{Counter: row.Counter + 1}
	asking.CarryOut(row, &change)
	change.Owner = ""
	stored := row.Checkpoint
	r.do(lease.LeaseWrite{
		Shard: row.Shard, If: lease.LeaseCondition{Owner: row.Owner, Counter: row.Counter, Checkpoint: &stored}, Change: &change,
	}, func(a lease.Answer) {
		if a.Lease != nil {
			r.view.put(a.Lease)
		}
		if a.Outcome == lease.Applied {
			r.tellRewound(row, &change)
			r.discovery.bump(0)
			r.timers.set(r.sweepTimer, r.now+pollInterval, r.look) // now its parents may
		}
	})
}
