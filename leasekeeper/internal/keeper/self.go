package keeper

import (
	"sort"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// self is this worker's own row: it registers, beats, and knows until when its
// leases are good (rule 1).
type self struct {
	*life
	id        string
	startedAt time.Time
	row       *lease.Worker // as it is known to stand in the table; nil: not registered
	good      bool          // now < until
	until     time.Duration // V: leases are good until then

	beating  *lease.Worker // the row being written; nil: none
	noted    time.Duration // t of beating's counter value: before its first attempt, kept through every retry (S5)
	attempts int
	again    bool // beat once more as soon as this one landed

	beatTimer, retryTimer, lapseTimer *timer
}

func (s *self) register() {
	s.startedAt = s.wall()
	s.beating, s.noted = s.build(1), s.now
	s.attempt()
}

// build makes the row of the given counter from what is true now.
func (s *self) build(counter int64) *lease.Worker {
	row := &lease.Worker{
		ID: s.id, Counter: counter, State: lease.Active, Duration: s.cfg.Duration,
		Ready: counter > 1 && s.session.ready(), MaxLeases: s.cfg.MaxLeases,
		Held:      make([]lease.Held, 0, len(s.holdings)),
		StartedAt: s.startedAt, Version: s.cfg.Version, ExpiresAt: s.expiry(), Requests: s.requests.done,
	}
	if s.leaving || s.requests.released {
		row.State = lease.Draining
	}
	for _, h := range s.holdings {
		row.Held = append(row.Held, h.held())
	}
	sort.Slice(row.Held, func(i, j int) bool { return row.Held[i].Shard < row.Held[j].Shard })
	return row
}

// beat writes the next counter value, now or, while one is being written,
// right after it has landed.
func (s *self) beat() {
	if s.leave.signing {
		return
	}
	if s.beating != nil {
		s.again = true
		return
	}
	s.planning.announce()
	s.beating, s.noted, s.attempts, s.again = s.build(s.row.Counter+1), s.now, 0, false
	s.attempt()
}

func (s *self) attempt() {
	if s.late() {
		return
	}
	row := s.beating
	write := lease.WorkerWrite{Worker: s.id, Create: row}
	if s.row != nil {
		write = lease.WorkerWrite{Worker: s.id, If: lease.WorkerCondition{Counter: s.row.Counter}, Put: row}
	}
	s.do(write, func(a lease.Answer) { s.answered(row, a) })
}

// late begins anew under another id when the registration is not known to have
// landed in time. Its row may have landed, been evicted and been deleted; made
// again, it would be one that some peers know as EVICTED (A14).
func (s *self) late() bool {
	if s.row != nil || s.now < s.noted+s.cfg.validity() {
		return false
	}
	s.rebirth("its registration took longer than a lease")
	return true
}

func (s *self) answered(row *lease.Worker, a lease.Answer) {
	switch {
	case s.late():
	case a.Outcome == lease.Applied:
		s.landed(row)
	case a.Outcome == lease.Refused && a.Worker != nil && a.Worker.Counter == row.Counter && a.Worker.State != lease.Evicted:
		s.landed(row) // an attempt whose answer was lost; with EVICTED it would be none (S6)
	case a.Outcome == lease.Refused:
		s.rebirth(outReason(a.Worker))
	default:
		s.counts.BeatFailures++
		s.timers.set(s.retryTimer, s.now+s.backoff(s.attempts), s.attempt)
		s.attempts++
	}
}

func outReason(row *lease.Worker) string {
	switch {
	case row == nil:
		return "its row is missing"
	case row.State == lease.Evicted:
		return "evicted"
	}
	return "its counter was moved by somebody else"
}

// landed counts the validity from the time noted before the first attempt.
func (s *self) landed(row *lease.Worker) {
	first := s.row == nil
	if first || s.row.Ready != row.Ready || s.row.State != row.State {
		s.planning.stale = true
	}
	s.row, s.beating = row, nil
	s.counts.Beats++
	s.until = max(s.until, s.noted+s.cfg.validity())
	if s.until > s.now {
		if !s.good && !first {
			s.peers.restartWatches()
		}
		if !s.good {
			s.note(Info, "registered, heartbeats land", Field{"worker", s.id})
		}
		s.good = true
		s.timers.set(s.lapseTimer, s.until, s.lapse)
	}
	s.session.renewed = true
	s.dirty = true
	s.planning.announced(row)
	s.leave.landed(s.life, row)
	next := s.noted + s.cfg.heartbeat()
	late := s.attempts > 0 // counted from long ago: beat again at once (S5)
	if s.again || late || !s.good || next <= s.now || row.Ready != s.session.ready() {
		s.timers.stop(s.beatTimer)
		s.beat()
		s.peers.scan()
		return
	}
	s.timers.set(s.beatTimer, next, s.tick)
	if first {
		s.peers.scan()
	}
}

// tick is the heartbeat: one write and one scan of the worker table.
func (s *self) tick() {
	s.beat()
	s.peers.scan()
}

// publish has a change of what peers should know written at once.
func (s *self) publish() {
	if s.row == nil {
		return
	}
	s.timers.stop(s.beatTimer)
	s.tick()
}

// lapse ends every generation held: none of them is granted again (rule 4).
func (s *self) lapse() {
	s.good = false
	s.note(Warn, "no heartbeat landed in time: leases are over until one does", Field{"worker", s.id})
	s.move("heartbeats stopped landing", "", s.id, "")
	for _, h := range s.sorted() {
		h.withdraw("heartbeats stopped landing")
	}
	s.dirty = true
}
