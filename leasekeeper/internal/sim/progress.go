package sim

import (
	"fmt"
	"time"
)

// withdraw stops a hold: no new message is begun, and what is in process takes
// its time, sometimes more than the grant has.
func (r *reader) withdraw(h *hold) {
	switch h.state {
	case waiting:
		h.state = drained
	case stopping, drained, ended:
	case reading:
		r.advanceHold(h)
		h.state = stopping
		took := r.w.between(time.Millisecond, 200*time.Millisecond)
		if r.w.chance(r.w.sc.stuckDrain) {
			took = r.w.between(time.Second, 30*time.Second)
		}
		r.after(took, func() { r.drained(h) })
	}
}

func (r *reader) drained(h *hold) {
	if h.state != stopping {
		return
	}
	h.state = drained
	r.w.tracef("%s drained %s generation %d at %d", r.task.name, short(h.shard.id), h.generation, h.position)
	r.startWaiting()
	r.urgent()
}

// expireAt plans the stop at the end of the TTL; every extension moves it.
func (r *reader) expireAt(h *hold) {
	r.w.at(h.dies, func() {
		r.run(func() {
			if h.state == reading && r.now() < h.expires {
				r.expireAt(h)
				return
			}
			r.expire()
		})
	})
}

// expire ends what has run out: work in flight is canceled, nothing more is done.
func (r *reader) expire() {
	for _, h := range r.holds {
		if (h.state == reading || h.state == stopping) && r.now() >= h.expires {
			h.state = stopping
			r.w.tracef("%s grant of %s generation %d ran out", r.task.name, short(h.shard.id), h.generation)
			r.after(0, func() { r.drained(h) })
		}
	}
}

// tick is the reader's loop over its shards.
func (r *reader) tick() {
	r.expire()
	r.advance()
	atEnd := false
	for _, h := range r.holds {
		if h.state != reading {
			continue
		}
		gone := h.shard.trimmed || h.spurious
		if gone || !h.shard.isOpen() && h.position >= h.shard.end() {
			h.state, atEnd = ended, true
			r.w.tracef("%s ended %s generation %d at %d", r.task.name, short(h.shard.id), h.generation, h.position)
		}
	}
	if atEnd {
		r.startWaiting()
		r.urgent()
	}
	r.after(progressEvery, r.tick)
}

func (r *reader) advance() {
	for _, h := range r.holds {
		if h.state == reading {
			r.advanceHold(h)
		}
	}
}

// advanceHold processes what there was since the last time.
func (r *reader) advanceHold(h *hold) {
	if r.now() >= h.expires || h.shard.trimmed || h.spurious {
		return
	}
	able := h.position + 1 + int64((r.w.now-h.at).Seconds()*h.shard.rate*catchUp)
	h.at = r.w.now
	if r.w.check.paused {
		r.w.violate("pause", "%s reads %s in a paused fleet", r.task.name, h.shard.id)
	}
	if p := min(h.shard.available(r.w.now), able); p > h.position {
		h.position = p
	}
	if h.generation < h.shard.pass {
		r.w.violate("rewind", "%s reads %s in generation %d, before it was rewound in %d", r.task.name, h.shard.id, h.generation, h.shard.pass)
	}
	h.shard.furthest = max(h.shard.furthest, h.position)
	h.shard.read = true
}

func uuidOf(n uint64) string { return fmt.Sprintf("00000000-0000-4000-8000-%012x", n) }
