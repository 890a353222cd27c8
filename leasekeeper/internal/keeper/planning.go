package keeper

import (
	"sort"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/plan"
)

// pollInterval is how often the row of a lease that is being handed over is
// read by the worker it is announced for (rule 7).
const pollInterval = 200 * time.Millisecond

// planning turns what is known into what is to be claimed, polled and given up
// (rules 6 to 8). The plan is computed only when its inputs changed.
type planning struct {
	*life
	outlooks map[string]*outlook // by shard
	stale    bool                // the plan's inputs changed
	took     bool                // the plan counts on this worker to take leases
	takers   [256]bool           // by tag: workers that the plan counts on
	polls    []*outlook          // of leases that are handed over to this worker
	pollScan bool                // a scan for them is under way
	timer    *timer              // for the earliest free lease that anybody may claim
	polling  *timer
}

func newPlanning(l *life) planning {
	return planning{life: l, stale: true, outlooks: make(map[string]*outlook), timer: newTimer(), polling: newTimer()}
}

func (p *planning) leasesChanged() { p.stale, p.requests.asking = true, nil }

// assignable tells whether the lease of row can be read now.
func (p *planning) assignable(row *lease.Row) bool {
	return !row.Finished() && !p.view.waitsForParents(row)
}

// replan computes the plan from the tables, with what this worker holds itself.
func (p *planning) replan() {
	p.stale = false
	p.counts.Plans++
	var workers []plan.Worker
	clear(p.takers[:])
	for _, w := range p.peers.live() {
		if w.Takes() && (w.ID != p.self.id || p.took) {
			p.takers[lease.Tag(w.ID)] = true
			workers = append(workers, plan.Worker{ID: w.ID, Max: w.MaxLeases})
		}
	}
	leases := make([]plan.Lease, 0, len(p.view.leases))
	for _, s := range p.view.leases {
		if !p.assignable(s.row) {
			continue
		}
		l := plan.Lease{Shard: s.shard, Load: s.load}
		if h := p.holdings[s.shard]; h != nil {
			l.Owner, l.Load, l.Moving = p.self.id, h.publishedLoad, h.moving
		} else if held, ok := s.held(s.row); ok {
			l.Owner, l.Moving = held.worker, held.moving
		} else if p.peers.unreadable(s.row.Owner) {
			l.Owner = s.row.Owner
		}
		leases = append(leases, l)
	}
	planned := plan.Make(leases, workers)
	for shard, o := range p.outlooks {
		o.planned = planned[shard]
	}
}

// mine tells whether a lease should be read here, as far as the plan knows.
func (p *planning) mine(o *outlook) bool {
	return o.planned == p.self.id || o.eager
}

// elsewhere tells whether the plan gives the lease to another worker.
func (p *planning) elsewhere(o *outlook) bool {
	return o.planned != "" && !p.mine(o)
}

// fresh tells whether a lease that is claimed now was seen at nobody else and
// is planned for this worker: the first to be ready is planned all of them, and
// there is no reason to keep them from the others.
func (p *planning) fresh(o *outlook) bool {
	return !o.others && !o.eager && o.planned == p.self.id
}

// decide goes through the leases: what is free is claimed by the worker it is
// planned for and, after H, by anybody; what is handed over is polled.
func (p *planning) decide() {
	if !p.view.known || !p.peers.known {
		return
	}
	if p.stale && !p.requests.paused {
		p.replan()
	}
	p.settleHoldings()
	if p.requests.paused { // the plan stands still, and nothing is free for anybody
		for _, o := range p.outlooks {
			o.free = nil
		}
		return
	}
	p.polls = p.polls[:0]
	var reads []string
	wake := p.now + rescan
	for _, s := range p.view.leases {
		wake = min(wake, p.look(s, &reads))
	}
	p.view.readAll(reads)
	p.requests.sweep()
	p.timers.set(p.timer, wake, func() { p.dirty = true })
	if len(p.polls) > 0 && !p.polling.pending() && p.able() {
		p.timers.set(p.polling, p.now+pollInterval, p.poll)
	}
}

// look does what is due for one lease and returns when to look again; what is
// to be read is added to reads.
func (p *planning) look(s *seen, reads *[]string) time.Duration {
	held, byOther := s.held(s.row)
	switch {
	case !p.assignable(s.row):
		s.free, s.others, s.promise = nil, false, promise{}
	case p.holdings[s.shard] != nil:
		s.free = nil
	case byOther:
		s.free, s.eager, s.others = nil, false, true
		if held.moving && (p.offered(s) || p.second(s)) {
			p.polls = append(p.polls, s.outlook)
		}
	default:
		return p.consider(s, reads)
	}
	return p.now + rescan
}

// settleHoldings has every holding do what is due under the present plan.
func (p *planning) settleHoldings() {
	for _, h := range p.sorted() {
		h.step()
	}
}

// sorted returns the holdings by shard.
func (l *life) sorted() []*holding {
	holdings := make([]*holding, 0, len(l.holdings))
	for _, h := range l.holdings {
		holdings = append(holdings, h)
	}
	sort.Slice(holdings, func(i, j int) bool { return holdings[i].shard < holdings[j].shard })
	return holdings
}
