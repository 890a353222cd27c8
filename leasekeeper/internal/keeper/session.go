package keeper

import (
	"sort"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// session is the consumer beside this worker: one at a time, known by its uuid.
type session struct {
	*life
	consumer string
	version  string
	draining bool
	called   time.Duration // when it was last heard or answered
	open     *openSync     // the call that waits for news
	revision int64
	sent     int64         // revision of the last answer
	sentV    time.Duration // V of that answer

	changed bool // grants are others than those last sent
	renewed bool // a heartbeat landed since
	urgent  bool // the open call said something that deserves an answer at once

	wasReady               bool
	absentTimer, waitTimer *timer
}

type openSync struct {
	id      uint64
	arrived time.Duration
}

// ready tells whether a healthy consumer is attached: it calls, and stays.
func (s *session) ready() bool {
	return s.consumer != "" && !s.draining && (s.open != nil || s.now < s.called+s.patience())
}

// patience is how long a consumer may be silent between two calls.
func (s *session) patience() time.Duration { return s.cfg.Duration / 2 }

// present tells whether the consumer is still to be reckoned with: a call is
// open, or one of its grants may be live.
func (s *session) present() bool {
	if s.open != nil || s.now < s.called+min(time.Second, s.patience()) && !s.draining {
		return true
	}
	for _, h := range s.holdings {
		if !h.isOver() {
			return true
		}
	}
	for _, until := range s.over {
		if s.now < until {
			return true
		}
	}
	return false
}

// sync takes a call in: what it reports counts at once, the answer may wait.
func (s *session) sync(e Sync) {
	r := e.Request
	if s.self.row == nil || !s.peers.known {
		s.refuse(e.ID, contract.NotReady, "joining: not registered yet")
		return
	}
	if r.Consumer != s.consumer && !s.attach(e) {
		return
	}
	if s.open != nil { // given up by the consumer, or about to be
		s.reply()
	}
	s.open = &openSync{id: e.ID, arrived: s.now}
	s.called = s.now
	s.version = r.Version
	if r.Draining && !s.draining {
		s.draining = true
		s.note(Info, "consumer is leaving", Field{"consumer", s.consumer})
	}
	revision := r.Revision
	if r.Worker != s.self.id { // of another life
		revision = 0
	} else {
		s.reports(r.Shards)
	}
	if revision < s.sent || s.sent == 0 || s.sentV < s.self.until && s.self.good {
		s.urgent = true
	}
	wait := min(max(time.Duration(r.WaitMS)*time.Millisecond, 0), 30*time.Second)
	s.timers.set(s.waitTimer, s.now+wait, s.reply)
	s.watchPresence()
}

// attach makes the caller the consumer, once no other is to be reckoned with.
func (s *session) attach(e Sync) bool {
	if s.consumer != "" && s.present() {
		s.refuse(e.ID, contract.ConsumerConflict, "another consumer is attached: "+s.consumer)
		return false
	}
	for _, h := range s.sorted() { // newly claimed for the new one (rule 4)
		if h.granted {
			h.withdraw("its consumer is gone")
		}
	}
	s.consumer, s.draining, s.sent, s.sentV = e.Request.Consumer, e.Request.Draining, 0, 0
	s.note(Info, "consumer attached", Field{"consumer", s.consumer}, Field{"consumer_version", e.Request.Version})
	s.move("consumer attached", "", "", s.self.id)
	s.dirty = true
	return true
}

// reports takes over what the consumer says of the generations it was granted.
// What it leaves out means nothing (S11).
func (s *session) reports(reports []contract.ShardReport) {
	for i := range reports {
		r := &reports[i]
		h := s.holdings[r.Shard]
		if h == nil || h.generation != r.Generation || !h.granted {
			s.urgent = s.urgent || r.State != contract.Reading
			continue
		}
		if h.final { // said again: it has not heard that it was heard
			s.urgent = true
			continue
		}
		if r.LagMS < caughtUp {
			h.progressAt = s.now
		}
		if r.Checkpoint != nil {
			h.report(lease.Checkpoint{Sequence: r.Checkpoint.Sequence, Sub: r.Checkpoint.Sub})
		}
		h.lagMillis = r.LagMS
		h.bytesPerSecond = smooth(h.bytesPerSecond, r.BytesPerSecond)
		switch r.State {
		case contract.Drained:
			h.final = true
			h.withdraw("drained by the consumer")
			s.urgent, s.dirty = true, true
		case contract.Ended:
			h.end(r.Children)
			s.urgent, s.dirty = true, true
		}
	}
}

// caughtUp is the lag, in milliseconds, below which a shard need not move.
const caughtUp = 1000

// smooth follows a measured value at a quarter per report.
func smooth(mean, measured int64) int64 {
	if mean == 0 {
		return measured
	}
	return mean + (measured-mean)/4
}

// answer replies to the open call where there is news for it.
func (s *session) answer() {
	if ready := s.ready(); ready != s.wasReady {
		s.wasReady = ready
		s.dirty = true
		s.self.publish()
	}
	if s.open != nil && (s.urgent || s.changed || s.renewed) {
		s.reply()
	}
}

// reply answers the open call with everything the consumer should hold. The
// TTL is what is left of V at the call's arrival, and renews only the grants in
// this answer (S10).
func (s *session) reply() {
	open := s.open
	if open == nil {
		return
	}
	s.open, s.urgent, s.changed, s.renewed = nil, false, false, false
	s.timers.stop(s.waitTimer)
	s.revision++
	response := &contract.SyncResponse{Version: s.cfg.Version, Worker: s.self.id, Revision: s.revision, Grants: []contract.Grant{}}
	if s.self.good && s.now < s.self.until {
		response.TTLMS = (s.self.until - open.arrived).Milliseconds()
		response.Grants = s.grants()
	}
	s.sent, s.sentV, s.called = s.revision, s.self.until, s.now
	s.counts.Syncs++
	s.actions = append(s.actions, Reply{ID: open.id, Response: response})
	s.watchPresence()
}

// grants returns what is served, and notes until when.
func (s *session) grants() []contract.Grant {
	grants := make([]contract.Grant, 0, len(s.holdings))
	for _, h := range s.holdings {
		if h.phase != serving {
			continue
		}
		if h.granted && s.now >= h.expires { // ran out: never granted again (rule 4)
			s.dirty = true
			continue
		}
		h.granted, h.expires = true, s.self.until
		grants = append(grants, h.grant())
	}
	sort.Slice(grants, func(i, j int) bool { return grants[i].Shard < grants[j].Shard })
	return grants
}

// gone ends the wait of a caller that hung up.
func (s *session) gone(id uint64) {
	if s.open == nil || s.open.id != id {
		return
	}
	s.open = nil
	s.timers.stop(s.waitTimer)
	s.watchPresence()
}

// watchPresence looks again when a silent consumer stops being ready and when
// its grants have run out.
func (s *session) watchPresence() {
	if s.open != nil {
		s.timers.stop(s.absentTimer)
		return
	}
	s.timers.set(s.absentTimer, s.called+s.patience(), func() {
		s.dirty = true
		s.timers.set(s.absentTimer, max(s.called+s.cfg.validity(), s.now), func() { s.dirty = true })
	})
}

func (s *session) refuse(id uint64, code, message string) {
	s.actions = append(s.actions, Reply{ID: id, Refusal: &contract.Error{Code: code, Message: message}})
}

// refuseOpen ends the open call of a life that ends.
func (s *session) refuseOpen(code, message string) {
	if s.open != nil {
		s.refuse(s.open.id, code, message)
		s.open = nil
	}
}
