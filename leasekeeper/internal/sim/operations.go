package sim

import (
	"slices"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// calmOperations pauses, resumes and rewinds while nothing else happens: each is
// carried out within what its tool waits.
func (w *world) calmOperations() {
	o, limit := &w.operator, 3*w.sc.duration+20*time.Second
	w.runUntil(w.now + lateness + 30*time.Second) // late answers; a tool still waiting for another rewind
	paused, resumed := func() bool { return w.check.paused }, func() bool { return !w.tables.stream.Paused }
	if !resumed() { // or the pause below would be over before it is asked for
		o.resume()
		w.await("pause", limit, "the fleet is resumed", resumed)
	}
	if w.chance(0.5) {
		o.rewind(0) // to be found half done by the pause
	}
	o.pause()
	w.await("pause", limit, "the fleet is paused", paused)
	w.runUntil(w.now + w.between(0, 3*w.sc.duration))
	o.resume()
	w.await("pause", limit, "the fleet is resumed", resumed)
	if w.chance(0.5) {
		o.request(func(r *lease.StreamRequest) { r.Released = nil }, func(int64) {})
	}
	w.awaitRecovery("the resumption", w.patience())
	begun, before := w.now, len(o.rewinds)
	o.rewind(0)
	w.runUntil(w.now + 2*time.Second)
	w.await("rewind", limit, "the rewind is carried out", func() bool { return !o.stands() })
	if len(o.rewinds) > before {
		w.result.Rewind = w.now - begun
	}
}

// await runs until ok.
func (w *world) await(invariant string, limit time.Duration, what string, ok func() bool) {
	for end := w.now + limit; w.result.Violation == "" && !ok(); {
		if w.now >= end {
			w.violate(invariant, "%v and not yet: %s", limit, what)
			return
		}
		w.runUntil(w.now + 50*time.Millisecond)
	}
}

// pause checks that nobody reads, and has it checked from now on.
func (c *checker) pause() {
	for s, holds := range c.live {
		for _, h := range holds {
			if h.live(c.w.now) {
				c.w.violate("pause", "%s is read by %s in a paused fleet", s.id, h.reader.task.name)
			}
		}
	}
	c.paused = true
}

// rewound begins a new pass of a shard: nobody may read it, nor what is below it,
// and it must begin at the target or before.
func (c *checker) rewound(s *shard, old, row *lease.Row) {
	r := c.w.tables.stream.Rewind
	if r == nil || row.Rewound != r.ID || row.Counter != old.Counter+1 {
		c.w.violate("rewind", "%s went from rewind %d in generation %d to %d in %d, asked for is %+v", s.id, old.Rewound, old.Counter, row.Rewound, row.Counter, r)
		return
	}
	c.idle(s, "I2", "it is rewound")
	for _, child := range c.w.stream.shards {
		if slices.Contains(child.parents, s) && old.Finished() {
			c.idle(child, "I3", "its parent "+s.id+" is rewound")
		}
	}
	from := c.positionOf(s, row)
	if want := c.positionOf(s, &lease.Row{Checkpoint: lease.Checkpoint{Sequence: r.To}, InitialTimestamp: r.At}); r.Names(s.id) && from != want || !r.Names(s.id) && from > want {
		c.w.violate("rewind", "%s is rewound to %d, not to %d", s.id, from, want)
	}
	s.furthest, s.pass = from, row.Counter
	c.w.result.Rewinds++
}

func (c *checker) idle(s *shard, invariant, while string) {
	for _, h := range c.live[s] {
		if h.live(c.w.now) {
			c.w.violate(invariant, "%s is read by %s (generation %d) while %s", s.id, h.reader.task.name, h.generation, while)
		}
	}
}

// positionOf is how many messages of the shard are before where the row begins.
func (c *checker) positionOf(s *shard, row *lease.Row) int64 {
	if row.Checkpoint.Sequence == lease.AtTimestamp {
		return s.available(row.InitialTimestamp.Sub(epoch()))
	}
	if row.Checkpoint.IsNumber() {
		if _, ok := s.position(row.Checkpoint.Sequence, 0); !ok {
			return 0 // a number of another shard: of the one above it
		}
	}
	return c.done(s, row)
}

// check is for the end: every rewind that was asked for has been carried out on
// everything that it was for.
func (o *operator) check() {
	for _, a := range o.rewinds {
		if a.landed == 0 {
			continue
		}
		for _, s := range o.w.stream.shards {
			meant := a.rewind.Names(s.id) || a.whole && a.made[s.id] && (a.rewind.To == lease.TrimHorizon || epoch().Add(min(s.closed, 1<<61)).After(a.rewind.At))
			row := o.w.tables.leases.rows[s.id]
			if meant && !s.trimmed && row != nil && row.Rewound < a.rewind.ID {
				o.w.violate("rewind", "%s was not rewound by %d, asked for at %v: %+v", s.id, a.rewind.ID, a.landed, *row)
			}
		}
	}
	o.checkReleased()
}

// checkReleased checks that a released worker holds nothing that others can take.
func (o *operator) checkReleased() {
	released, takers := map[string]*task{}, 0
	for _, t := range o.w.tasks {
		id := t.keeper.machine.Worker()
		switch {
		case !t.alive() || t.stopping:
		case o.w.tables.stream != nil && slices.Contains(o.w.tables.stream.Released, id):
			released[id] = t
		default:
			takers++
		}
	}
	for id, t := range released {
		if n := t.keeper.machine.Counts(t.keeper.now()).Held; n > 0 && takers > 0 {
			o.w.violate("release", "%s was released and holds %d leases", id, n)
		}
	}
}

// asked notes a request that landed.
func (o *operator) asked(r *lease.Rewind, now time.Duration) {
	for i := range o.rewinds {
		if o.rewinds[i].rewind == r && o.rewinds[i].landed == 0 {
			o.rewinds[i].landed = now
		}
	}
}
