package keeper

import (
	"sort"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/shardmap"
)

// ending is what the end of a shard told.
type ending struct {
	children []string // sorted
	attempts int
}

// end takes over the consumer's word that the shard was read to its end and
// every message of it is done.
func (h *holding) end(children []contract.ChildShard) {
	h.final = true
	if h.phase == finishing {
		return
	}
	e := &ending{}
	for _, c := range children {
		e.children = append(e.children, c.Shard)
	}
	sort.Strings(e.children)
	h.ended, h.phase, h.progressAt = e, finishing, h.now
	h.timers.stop(h.timer)
	h.attempts = 0
	h.session.changed, h.dirty = true, true
	h.note(Info, "shard ended", Field{"shard", h.shard}, Field{"generation", h.generation}, Field{"children", int64(len(e.children))})
	h.seekChildren()
}

// seekChildren syncs the shard map until every child has a row, whatever other
// shards need one first (rule 11, A1), and only then has SHARD_END written (A2).
func (h *holding) seekChildren() {
	h.discovery.request(func(l *lease.Listing, rows map[string]*lease.Row) {
		if h.holdings[h.shard] != h || h.phase != finishing {
			return
		}
		switch {
		case l != nil && shardmap.Settled(h.shard, h.ended.children, l.Shards, rows):
			h.trimmed()
			h.writeEnd()
		case l != nil && len(h.ended.children) == 0:
			// Said to have ended, but the stream still has it (S15): not believed.
			h.note(Warn, "shard end without children, but the stream still lists the shard: reading it again", Field{"shard", h.shard})
			h.phase, h.ended = withdrawn, nil
			h.attempts = 1
			h.timers.set(h.timer, h.now+h.cfg.Duration, h.retry)
			h.dirty = true
		default:
			h.timers.set(h.timer, h.now+h.slower(), h.seekChildren)
		}
	})
}

// trimmed tells people of a shard that ended because the stream no longer has
// it: retention has passed over whatever was not read.
func (h *holding) trimmed() {
	if len(h.ended.children) > 0 {
		return
	}
	h.counts.Trimmed++
	h.note(Warn, "shard trimmed away before it was read to its end: what was left of it is lost", Field{"shard", h.shard},
		Field{"generation", h.generation}, Field{"checkpoint", checkpointText(h.best())})
}

// slower is the pause between two looks for children that are not listed yet.
func (h *holding) slower() time.Duration {
	h.ended.attempts++
	return 50*time.Millisecond + h.backoff(h.ended.attempts)
}

// writeEnd writes SHARD_END with the children and gives the lease up in the
// same write; then the shard map's version moves.
func (h *holding) writeEnd() {
	if h.holdings[h.shard] != h {
		return
	}
	if h.writing { // a checkpoint is on its way: one write in flight
		h.timers.set(h.timer, h.now+10*time.Millisecond, h.writeEnd)
		return
	}
	stored := h.stored
	h.writing = true
	h.do(lease.LeaseWrite{
		Shard:  h.shard,
		If:     lease.LeaseCondition{Owner: h.self.id, Counter: h.generation, Checkpoint: &stored},
		Change: &lease.LeaseChange{Counter: h.generation + 1, Checkpoint: &lease.Checkpoint{Sequence: lease.ShardEnd}, Children: h.ended.children},
	}, h.endWritten)
}

func (h *holding) endWritten(a lease.Answer) {
	h.writing = false
	if h.holdings[h.shard] != h {
		return
	}
	switch {
	case a.Outcome == lease.Applied, a.Outcome == lease.Refused && a.Lease != nil && a.Lease.Finished():
		h.finished(a.Lease)
	case a.Outcome == lease.Refused && h.ours(a.Lease) && a.Lease.Checkpoint != h.stored:
		h.adopt(a.Lease.Checkpoint)
		h.writeEnd()
	case a.Outcome == lease.Refused && !h.ours(a.Lease):
		h.lost(a.Lease)
		if a.Lease != nil {
			h.view.put(a.Lease)
		} else {
			h.view.drop(h.shard)
		}
	default:
		h.timers.set(h.timer, h.now+h.backoff(h.attempts), h.writeEnd)
		h.attempts++
	}
}

// finished has the children claimed here at once, whatever the plan, for this
// worker is the first to know: they may move later.
func (h *holding) finished(row *lease.Row) {
	h.counts.Finished++
	h.note(Info, "shard finished", Field{"shard", h.shard}, Field{"generation", h.generation})
	h.move("finished", h.shard, h.self.id, "")
	children := h.ended.children
	h.drop()
	h.view.put(row)
	for _, child := range children {
		h.planning.outlook(child).eager = true
	}
	h.discovery.bump(0)
}
