package keeper

import (
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// offered tells whether a lease that is released, or soon will be, is for this
// worker: as its holder announced, else as planned. Plans differ for a moment
// while leases move; what was announced is the same for all. Whoever was not
// named waits as for a lease planned for another.
func (p *planning) offered(s *seen) bool {
	if to := s.promisedTo(); p.takers[to] {
		return to == lease.Tag(p.self.id)
	}
	return p.mine(s.outlook)
}

// promisedTo returns the tag of the worker that the lease's holder named, for
// as long as nobody claimed it; 0: nobody.
func (s *seen) promisedTo() byte {
	if s.row.Counter <= s.promise.generation+1 {
		return s.promise.to
	}
	return 0
}

// second tells whether this worker stands in for the one that is named for a
// lease and may have begun to leave in just this moment: the next one by tag
// and, where it is known to take nothing any more, everybody. It looks on, and
// claims what was left for two polls.
func (p *planning) second(s *seen) bool {
	to := s.promisedTo()
	if to == 0 || !p.takers[to] {
		return to != 0
	}
	next := afterTag(to)
	for next != to && (!p.takers[next] || next == s.promise.from) {
		next = afterTag(next)
	}
	return next == lease.Tag(p.self.id)
}

// standIn has this worker, which has just evicted another, claim what the plan
// gives of that to workers which have not watched for as long: they would learn
// of the eviction by a scan, up to H later (I4). It may move to them later.
func (p *planning) standIn(evicted string) {
	if !p.able() {
		return
	}
	p.replan()
	for _, s := range p.view.leases {
		planned := p.peers.rows[s.planned]
		s.eager = s.eager || s.row.Owner == evicted && p.elsewhere(s.outlook) && planned != nil && planned.Counter < youngest
	}
}

// youngest is how many heartbeats, those in between included, a worker has sent by
// the time when it certainly has watched the others for D: those of 2D.
const youngest = 8

// afterTag is the next tag in their circle, which lacks 0: nobody.
func afterTag(tag byte) byte { return tag%255 + 1 }

// consider looks at one lease that nobody says it holds and returns when to
// look again.
func (p *planning) consider(s *seen, reads *[]string) time.Duration {
	f := s.free
	if f == nil {
		h := p.cfg.heartbeat()
		if p.second(s) {
			h = 2 * pollInterval
		}
		f = &freeLease{since: p.now, open: p.now + h + time.Duration(p.rng.Int64N(int64(h/2)+1))}
		s.free = f
	}
	switch {
	case p.claims[s.shard] != nil:
		return p.now + rescan // goes its own way
	case !p.able():
		if s.row.Owner == p.self.id && p.self.good && p.now >= f.next {
			f.next = p.now + p.cfg.heartbeat()
			p.disown(s.row)
		}
		return p.now + rescan // whatever makes it able makes it dirty
	case !p.offered(s) && p.now < f.open:
		return f.open
	case p.view.claimable(s.row) && (p.offered(s) || s.asOf >= f.open):
		if p.now >= f.next {
			f.next = p.now + p.cfg.heartbeat()/2
			p.claim(s.shard)
		}
		return f.next
	case p.now < f.reread:
		return f.reread
	}
	// Somebody else may have claimed it, or released it, and not said so yet. The
	// row tells, and is claimed at once where it is free.
	f.reread = p.now + p.cfg.heartbeat()
	if s.asOf < p.now {
		*reads = append(*reads, s.shard)
	}
	return f.reread
}

// polled is how the row of a lease that is handed over to this worker is read.
type polled struct {
	asked    bool // an answer is to come
	failures int
	next     time.Duration // not before this is it read again
}

// poll reads the rows of the leases that are being handed over to this worker:
// all in one scan when they are many, else one by one, each when its last answer
// has come, and ever more seldom while it cannot be read.
func (p *planning) poll() {
	if len(p.polls) == 0 || !p.able() {
		return
	}
	p.timers.set(p.polling, p.now+pollInterval, p.poll)
	if p.view.many(len(p.polls)) {
		if !p.pollScan { // repeated by the view until it succeeds
			p.pollScan = true
			p.view.scanThen(func([]*lease.Row) {
				p.pollScan = false
				p.claimReleased()
			})
		}
		return
	}
	for _, o := range p.polls {
		if !o.polled.asked && p.now >= o.polled.next {
			p.pollOne(o)
		}
	}
}

func (p *planning) pollOne(o *outlook) {
	o.polled.asked = true
	p.view.readOne(o.shard, func(_ *lease.Row, read bool) {
		o.polled.asked = false
		if !read {
			o.polled.next = p.now + min(pollInterval<<min(o.polled.failures, 10), p.cfg.heartbeat()/2)
			o.polled.failures++
			return
		}
		o.polled.failures, o.polled.next = 0, 0
		p.claimReleased()
	})
}

// claimReleased claims what the giver of a polled lease has released.
func (p *planning) claimReleased() {
	for _, o := range p.polls {
		if s := p.view.rows[o.shard]; s != nil && s.row.Owner == "" && p.offered(s) && p.able() {
			p.claim(o.shard)
		}
	}
}
