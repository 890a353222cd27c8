package keeper

import (
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// announce marks, before a heartbeat is built, the leases that this worker will
// give up, and names who is to have them: everything when it takes no leases
// any more, else at most max(1, a tenth) a heartbeat, none younger than 2D
// (rule 6); of younger ones only what is fresh, half of it each time.
func (p *planning) announce() {
	if p.requests.paused || !p.self.good {
		return
	}
	if takes := p.takes(); takes != p.took {
		p.took, p.stale = takes, true
	}
	if p.stale && p.view.known && p.peers.known {
		p.replan()
	}
	for _, h := range p.toAnnounce() {
		h.moving = true
		if !p.takesLeases(h.to) {
			h.to = h.outlook.planned
		}
	}
}

// takesLeases tells whether leases may be planned for another worker.
func (p *planning) takesLeases(id string) bool {
	row := p.peers.rows[id]
	return row != nil && row.Takes()
}

// toAnnounce returns the leases to announce, those announced before included, and
// takes back what the plan no longer gives away.
func (p *planning) toAnnounce() []*holding {
	left := max(1, len(p.holdings)/10)
	var due, fresh []*holding
	for _, h := range p.sorted() {
		switch {
		case h.phase != serving:
		case h.moving && !p.elsewhere(h.outlook):
			h.moving, h.to = false, ""
		case !p.elsewhere(h.outlook):
		case !p.took:
			due = append(due, h)
		case h.moving: // announced before and not withdrawn yet
			due = append(due, h)
			left--
		case p.now-h.claimedAt < 2*p.cfg.Duration:
			if h.fresh {
				fresh = append(fresh, h)
			}
		case left > 0:
			due = append(due, h)
			left--
		}
	}
	return append(due, fresh[:(len(fresh)+1)/2]...)
}

// announced withdraws, 1¼H after row landed, what it said would move or, when
// it said that this worker is not ready, everything.
func (p *planning) announced(row *lease.Worker) {
	if !row.Ready || row.State != lease.Active {
		p.timers.after(p.now+p.notice(), p.withdrawUnready)
		return
	}
	moving := make([]lease.Held, 0)
	for _, held := range row.Held {
		said := promise{generation: held.Generation, to: held.To}
		if o := p.outlook(held.Shard); held.Moving && o.giving != said {
			moving = append(moving, held)
			o.giving = said
		}
	}
	if len(moving) > 0 {
		p.timers.after(p.now+p.cfg.announcement(), func() {
			p.peers.scanThen(func() { p.withdrawMoving(moving) }) // whoever is named may have begun to leave
		})
	}
}

// notice is how long peers need to learn what a heartbeat said, 1¼H; nothing
// where nobody else could take a lease.
func (p *planning) notice() time.Duration {
	for id, row := range p.peers.rows {
		if id != p.self.id && row.State != lease.Evicted {
			return p.cfg.announcement()
		}
	}
	return 0
}

// withdrawMoving withdraws what was announced, unless that was taken back since
// or another worker is named: this waits for its own notice.
func (p *planning) withdrawMoving(moving []lease.Held) {
	for _, held := range moving {
		said := promise{generation: held.Generation, to: held.To}
		o := p.outlook(held.Shard)
		if o.giving != said {
			continue
		}
		o.giving = promise{}
		h := p.holdings[held.Shard]
		if h == nil || h.generation != held.Generation || h.phase != serving || lease.Tag(h.to) != held.To {
			continue
		}
		if p.elsewhere(h.outlook) && p.takesLeases(h.to) {
			h.withdraw("planned for " + h.to)
		} else {
			h.moving, h.to = false, ""
		}
	}
	p.dirty = true
}

// withdrawUnready gives up everything that is planned for others while no
// healthy consumer is attached here, or this worker is released.
func (p *planning) withdrawUnready() {
	reason := "no healthy consumer here"
	switch {
	case p.leaving || p.requests.paused:
		return
	case p.requests.released:
		reason = "released"
	case p.session.ready():
		return
	}
	for _, h := range p.sorted() {
		if h.phase == serving && (p.session.draining || p.elsewhere(h.outlook)) {
			h.withdraw(reason)
		}
	}
	p.dirty = true
}
