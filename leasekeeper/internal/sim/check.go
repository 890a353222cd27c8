package sim

import (
	"fmt"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// checker holds the invariants against what it alone can see.
type checker struct {
	w                  *world
	live               map[*shard][]*hold // that may be live; checked against true time
	made               map[string]bool    // shards that had a lease row
	evictionsForbidden bool               // an outage of the tables alone kills nobody
	stood              bool               // nothing may move from now on
	first              time.Time          // T, as the first row of the stream told it
	paused             bool               // the fleet has said that nothing is read
	stays              stays
}

func newChecker(w *world) checker {
	return checker{w: w, live: make(map[*shard][]*hold), made: make(map[string]bool), stays: newStays(w)}
}

// started checks I1, I3 and that no message is skipped; it returns the
// position the hold starts at.
func (c *checker) started(h *hold) int64 {
	c.exclusive(h)
	s := h.shard
	if c.paused {
		c.w.violate("pause", "%s begins to read %s in a paused fleet", h.reader.task.name, s.id)
	}
	for _, p := range s.parents {
		if !p.done() {
			c.w.violate("I3", "%s is read by %s while its parent %s is at %d of %d", s.id, h.reader.task.name, p.id, p.furthest, p.available(c.w.now))
		}
	}
	from := c.startOf(h)
	c.w.tracef("%s reads %s generation %d from %d", h.reader.task.name, short(s.id), h.generation, from)
	if !s.read && c.w.sc.fromNow && from <= s.available(c.positionTime()) {
		s.furthest = max(s.furthest, from) // what was there before the application was
	}
	if from > s.furthest && !s.trimmed {
		c.w.violate("loss", "%s is read by %s from %d on, done is %d", s.id, h.reader.task.name, from, s.furthest)
	}
	return from
}

// positionTime is T, where an application that began at LATEST starts: the first
// one, if the row that says so was lost since.
func (c *checker) positionTime() time.Duration {
	if stream := c.w.tables.stream; c.first.IsZero() && stream != nil {
		c.first = stream.InitialTimestamp
	}
	if c.first.IsZero() {
		return -time.Hour
	}
	return c.first.Sub(epoch())
}

func (c *checker) startOf(h *hold) int64 {
	switch h.start.Type {
	case contract.AtSequenceNumber:
		n, ok := h.shard.position(h.start.Sequence, h.start.Sub)
		if !ok {
			c.w.violate("I2", "%s starts at %q, no sequence number of it", h.shard.id, h.start.Sequence)
		}
		return n
	case contract.AtTimestamp:
		return h.shard.available(time.UnixMilli(h.start.TimestampMS).Sub(epoch()))
	}
	return 0
}

// extended checks I1 when a grant lives longer.
func (c *checker) extended(h *hold) {
	if h.state == reading {
		c.exclusive(h)
	}
}

func (c *checker) exclusive(h *hold) {
	kept, known := c.live[h.shard][:0], false
	for _, other := range c.live[h.shard] {
		if other == h {
			known = true
		} else if !other.live(c.w.now) {
			continue
		} else {
			c.w.violate("I1", "%s is read by %s (generation %d until %v) and by %s (generation %d)", h.shard.id,
				other.reader.task.name, other.generation, other.dies.Round(time.Millisecond), h.reader.task.name, h.generation)
		}
		kept = append(kept, other)
	}
	if !known {
		kept = append(kept, h)
	}
	c.live[h.shard] = kept
	for _, k := range c.w.kcl {
		if k.holds(h.shard.id) {
			c.w.violate("I1", "%s is read by %s and by the KCL worker %s", h.shard.id, h.reader.task.name, k.name)
		}
	}
}

// holder is the live hold of s at a ready worker; nil: none.
func (c *checker) holder(s *shard) *hold {
	for _, h := range c.live[s] {
		if h.state == reading && h.live(c.w.now) && h.reader.working() && h.reader.task.keeper.working() {
			return h
		}
	}
	return nil
}

// leaseWritten checks I2 and what a lease row may do.
func (c *checker) leaseWritten(key string, old, row *lease.Row) {
	s := c.w.stream.byID[key]
	switch {
	case row == nil:
		if !old.Finished() || !s.trimmed {
			c.w.violate("rows", "the row of %s was deleted at %s", key, old.Checkpoint.Sequence)
		}
		return
	case old == nil:
		if c.made[key] {
			c.w.violate("rows", "the row of %s was made twice", key)
		}
		c.made[key] = true
		return
	}
	if row.Counter < old.Counter || row.Owner != old.Owner && row.Counter != old.Counter+1 {
		c.w.violate("rows", "%s went from %s/%d to %s/%d", key, old.Owner, old.Counter, row.Owner, row.Counter)
	}
	if row.Counter != old.Counter && !old.Finished() {
		c.w.result.Claims++
		if c.stood {
			c.w.violate("I5", "%s moved from %s/%d to %s/%d in a steady fleet", key, old.Owner, old.Counter, row.Owner, row.Counter)
		}
	}
	c.stays.moved(key, old, row)
	if row.Rewound != old.Rewound {
		c.rewound(s, old, row)
		return
	}
	c.checkpointWritten(s, old, row)
}

func (c *checker) checkpointWritten(s *shard, old, row *lease.Row) {
	if row.Checkpoint == old.Checkpoint {
		return
	}
	was, now := c.done(s, old), c.done(s, row)
	if now < was {
		c.w.violate("I2", "the checkpoint of %s went back from %s to %s", s.id, words(old.Checkpoint), words(row.Checkpoint))
	}
	if row.Finished() && !s.done() {
		c.w.violate("I2", "%s was finished at %d of %d", s.id, s.furthest, s.available(c.w.now))
	}
	if !row.Finished() && now > s.furthest {
		c.w.violate("I2", "the checkpoint of %s is at %d, done is %d", s.id, now, s.furthest)
	}
}

func words(cp lease.Checkpoint) string { return fmt.Sprintf("%s:%d", cp.Sequence, cp.Sub) }

// done is how many messages a row says are done.
func (c *checker) done(s *shard, row *lease.Row) int64 {
	switch row.Checkpoint.Sequence {
	case lease.ShardEnd:
		return 1 << 60
	case lease.TrimHorizon, lease.Latest, lease.AtTimestamp, "":
		return 0
	}
	n, ok := s.position(row.Checkpoint.Sequence, row.Checkpoint.Sub)
	if !ok {
		c.w.violate("I2", "the checkpoint of %s is %s, no position in it", s.id, words(row.Checkpoint))
	}
	return n
}

// workerWritten notes heartbeats and counts evictions by peers.
func (c *checker) workerWritten(by, id string, old, row *lease.Worker) {
	if row != nil {
		c.stays.beat(row)
	}
	if old == nil || row == nil || old.State == lease.Evicted || row.State != lease.Evicted || old.State == lease.Draining {
		return
	}
	c.w.tracef("table   worker %s EVICTED by %s", id, by)
	c.w.result.Evictions++
	if c.evictionsForbidden {
		c.w.violate("L3", "%s was evicted by %s although it only shared an outage", id, by)
	}
}

func (c *checker) streamWritten(old, row *lease.Stream) {
	if row != nil && !row.Paused {
		c.paused = false
	}
	if row != nil && (old == nil || old.Rewind != row.Rewind) {
		c.w.operator.asked(row.Rewind, c.w.now)
	}
	if old != nil && row != nil && (!old.InitialTimestamp.Equal(row.InitialTimestamp) || row.ShardMapVersion < old.ShardMapVersion) {
		c.w.violate("rows", "the #stream row changed from %+v to %+v", *old, *row)
	}
}

// progress checks, in a fleet at rest, that checkpoints follow what is done.
func (c *checker) progress() {
	for _, s := range c.w.stream.shards {
		row := c.w.tables.leases.rows[s.id]
		if !s.isOpen() || row == nil {
			continue
		}
		if written, due := c.done(s, row), s.available(c.w.now-30*time.Second); written < due {
			c.w.violate("progress", "the checkpoint of %s is at %d, though 30 s ago %d messages were there", s.id, written, due)
		}
	}
}
