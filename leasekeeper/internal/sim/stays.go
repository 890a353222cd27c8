package sim

import (
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// stays checks what hysteresis promises (I5): a lease that one worker gave up
// and another took stays with that one for 2D, whoever comes and goes, unless
// it falters itself. It is not asked in foul weather, or where an operator
// has asked for anything.
type stays struct {
	w     *world
	given map[string]change // by shard: given up, and nobody's since
	taken map[string]change // by shard: taken after that
	lives map[string]*life  // by worker id
}

// change is when a worker gave up or took a lease.
type change struct {
	worker string
	at     time.Duration
}

// life is what the worker table showed of a worker.
type life struct {
	beat     time.Duration // its last heartbeat
	faltered time.Duration // when it last was not ready, leaving, or late with its heartbeat
}

func newStays(w *world) stays {
	return stays{w: w, given: map[string]change{}, taken: map[string]change{}, lives: map[string]*life{}}
}

// beat notes a worker's heartbeat.
func (s *stays) beat(row *lease.Worker) {
	now := s.w.now
	l := s.lives[row.ID]
	if l == nil {
		l = &life{faltered: now}
		s.lives[row.ID] = l
	}
	if !row.Takes() || s.late(l) {
		l.faltered = now
	}
	l.beat = now
}

// late tells whether heartbeats are missing: what the worker knows may be old.
func (s *stays) late(l *life) bool { return s.w.now-l.beat > 2*s.w.sc.heartbeat() }

// steadySince tells whether nothing has befallen the worker since t.
func (s *stays) steadySince(worker string, t time.Duration) bool {
	l := s.lives[worker]
	return l != nil && l.faltered < t && !s.late(l)
}

// moved checks a change of a lease's owner.
func (s *stays) moved(shard string, old, row *lease.Row) {
	w := s.w
	if row.Owner == old.Owner {
		return
	}
	given, taken := s.given[shard], s.taken[shard]
	delete(s.given, shard)
	delete(s.taken, shard)
	if row.Finished() || w.isFoul() || w.tables.stream == nil || w.tables.stream.Requests > 0 {
		return
	}
	switch {
	case row.Owner == "":
		// 2D on the fastest clock allowed.
		if kept := w.now - taken.at; taken.worker == old.Owner && s.steadySince(old.Owner, taken.at) && float64(kept) < 2*float64(w.sc.duration)/1.05 {
			w.violate("I5", "%s was handed to %s and given up by it after %v", shard, old.Owner, kept.Round(time.Millisecond))
		}
		s.given[shard] = change{old.Owner, w.now}
	case given.worker != "" && given.worker != row.Owner && s.steadySince(row.Owner, given.at-2*w.sc.heartbeat()):
		s.taken[shard] = change{row.Owner, w.now} // from a worker that it has seen having it
	}
}
