package keeper

import (
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/held"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// phase of a holding. It only goes forward: a generation that was withdrawn is
// never granted again (S2).
type phase int

const (
	serving   phase = iota // granted, or about to be, to a consumer that calls
	withdrawn              // no longer granted; released or claimed anew when no grant can be live
	finishing              // read to its end; SHARD_END is written when its children have rows
)

// holding is one generation of a lease, made by this worker's own claim.
type holding struct {
	*life
	shard      string
	outlook    *outlook
	generation int64
	row        *lease.Row
	phase      phase
	claimedAt  time.Duration
	fresh      bool   // claimed here first, as far as is known: may move before it is 2D old
	moving     bool   // announced to peers as about to be given up
	to         string // the worker it will be given up to; empty: nobody is named
	reclaiming bool   // a claim anew is being written

	granted bool          // was in an answer at least once
	expires time.Duration // when the last of those answers' TTL ends
	final   bool          // the consumer said drained or ended
	ended   *ending       // the consumer said ended

	stored, reported lease.Checkpoint // in the row as last known; by the consumer
	storedAt         time.Duration    // when the last checkpoint write was begun
	writing          bool             // one write in flight (rule 10)
	attempts         int
	timer            *timer // next checkpoint, retry or expiry

	progressAt time.Duration // when the consumer last got further, or had nothing to do

	lagMillis, bytesPerSecond int64
	publishedLoad             int64
}

// hold takes over a lease whose claim was applied.
func (l *life) hold(row *lease.Row) *holding {
	o := l.planning.outlook(row.Shard)
	h := &holding{
		life: l, shard: row.Shard, outlook: o, generation: row.Counter, row: row, claimedAt: l.now,
		stored: row.Checkpoint, reported: row.Checkpoint, storedAt: l.now, progressAt: l.now, timer: newTimer(),
		publishedLoad: o.load, bytesPerSecond: o.load,
	}
	from := l.view.get(row.Shard)
	l.view.put(row)
	l.holdings[row.Shard] = h
	o.eager = false
	l.note(Info, "lease claimed", Field{"shard", h.shard}, Field{"generation", h.generation},
		Field{"from", ownerOf(from)}, Field{"checkpoint", checkpointText(h.stored)})
	l.move("claimed", h.shard, ownerOf(from), l.self.id)
	switch {
	case !l.self.good || l.leave.withdrawing || l.requests.paused:
		h.phase = withdrawn
	case l.leaving: // claimed when the end had just begun: read until it is handed over, and announced
		l.self.publish()
	}
	l.planning.stale, l.dirty = true, true
	l.session.changed = true
	return h
}

func ownerOf(row *lease.Row) string {
	if row == nil {
		return ""
	}
	return row.Owner
}

// held is what peers are told of the lease.
func (h *holding) held() lease.Held {
	h.publishedLoad = held.RoundLoad(settleLoad(h.publishedLoad, h.bytesPerSecond))
	moving := h.moving || h.phase == withdrawn && !h.requests.paused
	to := byte(0)
	if moving && h.to != "" {
		to = lease.Tag(h.to)
	}
	return lease.Held{
		Shard: h.shard, Generation: h.generation, BytesPerSecond: h.publishedLoad,
		LagMillis: held.RoundLag(h.lagMillis), Moving: moving, To: to,
	}
}

// isOver tells whether no grant of this generation can be live: never granted,
// stopped by the consumer's word, or past its last expiry (S10).
func (h *holding) isOver() bool { return !h.granted || h.final || h.now >= h.expires }

// withdraw ends the generation's grants: the next answer lacks it, for good.
func (h *holding) withdraw(reason string) {
	if h.phase != serving {
		return
	}
	h.phase = withdrawn
	h.note(Info, "lease withdrawn", Field{"shard", h.shard}, Field{"generation", h.generation}, Field{"reason", reason})
	h.session.changed, h.dirty = true, true
	if !h.isOver() {
		h.timers.after(h.expires, func() { h.dirty = true })
	}
}

// step does what is due: a generation that is to end is withdrawn, one that is
// withdrawn and over is claimed anew, or released where that was announced.
func (h *holding) step() {
	if why := h.endsBecause(); why != "" {
		h.withdraw(why)
	}
	if h.phase != withdrawn || !h.isOver() || h.writing || h.timer.pending() && h.attempts > 0 {
		return
	}
	switch {
	case h.leaving:
		h.release()
	case !h.self.good:
		// Wait until a heartbeat lands or this worker is out.
	case h.requests.paused: // the lease is kept, and claimed anew when the fleet is resumed
		if h.reported.Compare(h.stored) > 0 {
			h.writeCheckpoint()
		}
	case !h.session.ready() || h.moving && h.planning.elsewhere(h.outlook) || h.requests.waits(h.row):
		h.release()
	case h.able():
		h.reclaim()
	}
}

// endsBecause says why a generation that is served is to end now; empty: it is not.
func (h *holding) endsBecause() string {
	switch {
	case h.phase != serving:
		return ""
	case h.leave.withdrawing:
		return "leaving"
	case h.granted && h.isOver():
		return "ran out"
	case h.requests.paused:
		return "paused"
	case h.requests.asks(h.row):
		return "rewound"
	}
	return ""
}

// lost drops the lease: met, the row that is there, says that it is another's.
func (h *holding) lost(met *lease.Row) {
	h.note(Warn, "lease lost", Field{"shard", h.shard}, Field{"generation", h.generation}, Field{"owner", ownerOf(met)})
	h.move("lost", h.shard, h.self.id, ownerOf(met))
	h.counts.Lost++
	if !h.isOver() {
		h.over[h.shard] = h.expires
	}
	h.drop()
}

func (h *holding) drop() {
	h.timers.stop(h.timer)
	delete(h.holdings, h.shard)
	h.planning.stale, h.dirty = true, true
	h.session.changed = true
}

// grant is what the consumer is told.
func (h *holding) grant() contract.Grant {
	g := contract.Grant{Stream: h.cfg.Stream, Shard: h.shard, Generation: h.generation, Start: h.start()}
	if h.peers.stream != nil {
		g.StreamARN = h.peers.stream.ARN
	}
	if h.row.HashStart != "" || h.row.HashEnd != "" {
		g.HashKeyRange = &contract.HashKeyRange{Start: h.row.HashStart, End: h.row.HashEnd}
	}
	return g
}

// start is where this generation begins: its claim's checkpoint. A row that the
// KCL left at LATEST, or at a time it did not store, starts at the stream's T.
func (h *holding) start() contract.Start {
	at := h.row.InitialTimestamp
	switch h.row.Checkpoint.Sequence {
	case lease.TrimHorizon, "":
		return contract.Start{Type: contract.TrimHorizon}
	case lease.Latest, lease.AtTimestamp:
		if at.IsZero() && h.peers.stream != nil {
			at = h.peers.stream.InitialTimestamp
		}
		if at.IsZero() {
			return contract.Start{Type: contract.TrimHorizon}
		}
		return contract.Start{Type: contract.AtTimestamp, TimestampMS: at.UnixMilli()}
	}
	return contract.Start{Type: contract.AtSequenceNumber, Sequence: h.row.Checkpoint.Sequence, Sub: h.row.Checkpoint.Sub}
}

// settleLoad follows the measured load only when it is off by more than an
// eighth, so that what is published stands still under a steady load (I5).
func settleLoad(published, measured int64) int64 {
	if off := measured - published; off > published/8+512 || -off > published/8+512 {
		return measured
	}
	return published
}
