package keeper

import (
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// report takes over how far the consumer is; it only goes forward.
func (h *holding) report(to lease.Checkpoint) {
	if to.Compare(h.reported) <= 0 {
		return
	}
	h.reported = to
	h.progressAt = h.now
	h.planCheckpoint(h.storedAt + h.cfg.CheckpointInterval)
}

// planCheckpoint has the checkpoint written at the given time, unless something
// is planned or under way already. Nothing is written where nothing moved.
func (h *holding) planCheckpoint(at time.Duration) {
	if h.writing || h.timer.pending() || h.phase != serving || h.reported.Compare(h.stored) <= 0 {
		return
	}
	h.timers.set(h.timer, max(at, h.now), h.writeCheckpoint)
}

func (h *holding) writeCheckpoint() {
	keeps := h.phase == serving || h.phase == withdrawn && h.requests.paused
	if h.writing || !keeps || h.reported.Compare(h.stored) <= 0 {
		h.dirty = true
		return
	}
	to := h.reported
	h.storedAt = h.now
	h.write(lease.LeaseChange{Owner: h.self.id, Counter: h.generation, Checkpoint: &to}, func(*lease.Row) {
		h.counts.Checkpoints++
	})
}

// release gives the lease up: checkpoint, no owner and the next generation in
// one write (rule 7).
func (h *holding) release() {
	to := h.best()
	change := lease.LeaseChange{Counter: h.generation + 1, Checkpoint: &to, OwnerSwitches: h.switchesAfter(to)}
	h.requests.rewound(h.row, &change)
	h.write(change, func(row *lease.Row) {
		h.counts.Releases++
		h.note(Info, "lease released", Field{"shard", h.shard}, Field{"generation", h.generation}, Field{"checkpoint", checkpointText(row.Checkpoint)})
		h.move("released", h.shard, h.self.id, "")
		h.drop()
		h.view.put(row)
	})
}

// reclaim makes the next generation of a lease that is ours: the only way to
// serve it again (S2, S3).
func (h *holding) reclaim() {
	if h.reclaiming {
		return
	}
	to := h.best()
	h.reclaiming = true
	change := lease.LeaseChange{Owner: h.self.id, WorkerTable: h.cfg.WorkerTable, Counter: h.generation + 1, Checkpoint: &to,
		OwnerSwitches: h.switchesAfter(to), DropForeign: true}
	h.requests.rewound(h.row, &change)
	h.write(change, func(row *lease.Row) {
		h.counts.Claims++
		h.drop()
		h.hold(row)
	})
}

// best is the checkpoint to go on from.
func (h *holding) best() lease.Checkpoint {
	if h.reported.Compare(h.stored) > 0 {
		return h.reported
	}
	return h.stored
}

func (h *holding) switchesAfter(to lease.Checkpoint) int64 {
	if to != h.stored {
		return 0
	}
	return h.row.OwnerSwitches
}

// write attempts one write on the row of this generation, on the condition that
// owner, generation and the checkpoint last known are in it (rule 10, S1).
// applied is called when it is done. Otherwise the row that was met says how to
// go on: step or the next report tries again from it.
func (h *holding) write(change lease.LeaseChange, applied func(row *lease.Row)) {
	stored := h.stored
	h.writing = true
	h.do(lease.LeaseWrite{
		Shard:  h.shard,
		If:     lease.LeaseCondition{Owner: h.self.id, Counter: h.generation, Checkpoint: &stored},
		Change: &change,
	}, func(a lease.Answer) { h.written(change, a, applied) })
}

func (h *holding) written(change lease.LeaseChange, a lease.Answer, applied func(row *lease.Row)) {
	h.writing = false
	h.dirty = true
	if h.holdings[h.shard] != h {
		return // lost meanwhile
	}
	h.reclaiming = false
	switch a.Outcome {
	case lease.Applied:
		h.attempts = 0
		h.adopt(a.Lease.Checkpoint)
		applied(a.Lease)
		h.planCheckpoint(h.storedAt + h.cfg.CheckpointInterval)
	case lease.Refused:
		h.refused(change, a.Lease)
	default:
		h.counts.WriteFailures++
		if h.phase == finishing {
			return // the timer belongs to the way to SHARD_END, which goes on by itself
		}
		h.timers.set(h.timer, h.now+h.backoff(h.attempts), h.retry)
		h.attempts++
	}
}

// refused looks at the row that was met. While owner and generation are ours,
// the checkpoints are compared as numbers and the row's is what is known now.
func (h *holding) refused(change lease.LeaseChange, met *lease.Row) {
	switch {
	case met == nil:
		h.view.drop(h.shard)
	case h.ours(met) && met.Checkpoint == h.stored:
		h.contradicted(met)
	case h.ours(met):
		h.adopt(met.Checkpoint)
		h.attempts = 0
		h.planCheckpoint(h.now)
	case change.Owner == "" && met.Counter > h.generation && met.Owner != h.self.id:
		h.drop() // released, by an attempt whose answer was lost; whoever has it now
		h.view.put(met)
	case met.Owner == h.self.id && change.Owner == h.self.id:
		// A claim anew whose answer was lost: never a success (S4). The row is
		// found with our own name and claimed again from there.
		h.drop()
		h.view.put(met)
	default:
		h.lost(met)
		h.view.put(met)
	}
}

// ours tells whether row is of this generation.
func (h *holding) ours(row *lease.Row) bool {
	return row != nil && row.Owner == h.self.id && row.Counter == h.generation
}

// contradicted tries again later what was refused although the row that was met
// is as the write asked for.
func (h *holding) contradicted(met *lease.Row) {
	h.counts.WriteFailures++
	if h.phase == finishing {
		return
	}
	h.timers.set(h.timer, h.now+h.backoff(h.attempts), h.retry)
	h.attempts++
	if h.attempts == refusedOften {
		h.note(Warn, "writes are refused though the lease is ours: is something else writing the row?", rowFields(met)...)
	}
}

// adopt takes a checkpoint over that stands in the row.
func (h *holding) adopt(stored lease.Checkpoint) {
	h.stored = stored
	if stored.Compare(h.reported) > 0 {
		h.reported = stored
	}
}

// retry lets the next step try again.
func (h *holding) retry() {
	h.dirty = true
	if h.phase == serving {
		h.writeCheckpoint()
	}
}
