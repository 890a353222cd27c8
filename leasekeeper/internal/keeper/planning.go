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
	stale    bool
	planned  map[string]string     // shard → worker
	holders  map[string]holder     // shard → who holds it, this worker apart
	loads    map[string]int64      // bytes per second, as whoever holds or held it last said
	free     map[string]*freeLease // assignable leases in no live worker's held
	others   map[string]bool       // assignable leases that another worker was seen to hold
	eager    map[string]bool       // children of a shard finished here: claimed at once
	polls    []string              // leases handed over to this worker
	moving   map[string]promise    // announced leases of ours → as announced
	took     bool                  // the plan counts on this worker to take leases
	takers   map[byte]bool         // tags of the workers in the plan
	promises map[string]promise    // leases that others announced → whom they are for
	timer    *timer                // for the earliest free lease that anybody may claim
	polling  *timer
}

// holder is a live worker that says it holds a lease.
type holder struct {
	worker     string
	generation int64
	moving     bool          // is about to give it up: announced, or a worker that takes nothing
	since      time.Duration // when this generation was first seen
}

// freeLease is an assignable lease that no live worker says it holds.
type freeLease struct {
	since  time.Duration // when that was seen
	open   time.Duration // from when on anybody may claim it (L1)
	next   time.Duration // not before this is it claimed again
	reread time.Duration // not before this is its row read again
}

func newPlanning(l *life) planning {
	return planning{
		life: l, stale: true, planned: map[string]string{}, holders: map[string]holder{}, loads: map[string]int64{},
		free: map[string]*freeLease{}, others: map[string]bool{}, eager: map[string]bool{}, moving: map[string]promise{},
		promises: map[string]promise{}, takers: map[byte]bool{},
		timer: newTimer(), polling: newTimer(),
	}
}

func (p *planning) peersChanged() {
	p.stale = true
	before := p.holders
	p.holders, p.loads = make(map[string]holder), make(map[string]int64)
	generations := make(map[string]int64)
	for id, row := range p.peers.rows {
		for _, held := range row.Held {
			if held.Generation > generations[held.Shard] {
				generations[held.Shard], p.loads[held.Shard] = held.Generation, held.BytesPerSecond
			}
			if id == p.self.id || row.State == lease.Evicted || held.Generation <= p.holders[held.Shard].generation {
				continue
			}
			since := p.now
			if old, known := before[held.Shard]; known && old.generation == held.Generation {
				since = old.since
			}
			p.promised(id, held)
			p.holders[held.Shard] = holder{worker: id, generation: held.Generation, moving: held.Moving || !row.Takes(), since: since}
		}
	}
	p.seen(before)
}

// promised notes whom the holder of a lease announced to release it to, or that
// it took that back.
func (p *planning) promised(holder string, held lease.Held) {
	if held.Moving && held.To != 0 {
		p.promises[held.Shard] = promise{held.Generation, held.To, lease.Tag(holder)}
	} else {
		delete(p.promises, held.Shard)
	}
}

// seen notes, for people, the leases that other workers have come to hold.
func (p *planning) seen(before map[string]holder) {
	var moved []string
	for shard, h := range p.holders {
		if old, known := before[shard]; h.since == p.now && (!known || old.worker != h.worker) {
			moved = append(moved, shard)
		}
	}
	sort.Strings(moved)
	for _, shard := range moved {
		p.move("held", shard, before[shard].worker, p.holders[shard].worker)
	}
}

func (p *planning) leasesChanged() { p.stale, p.requests.asking = true, nil }

// assignable tells whether the lease of row can be read now.
func (p *planning) assignable(row *lease.Row) bool {
	return !row.Finished() && !p.view.waitsForParents(row)
}

// holderOf returns who holds the lease in its latest generation; "" for nobody.
func (p *planning) holderOf(row *lease.Row) (holder, bool) {
	h, held := p.holders[row.Shard]
	return h, held && h.generation >= row.Counter
}

// replan computes the plan from the tables, with what this worker holds itself.
func (p *planning) replan() {
	p.stale = false
	p.counts.Plans++
	var workers []plan.Worker
	clear(p.takers)
	for _, w := range p.peers.live() {
		if w.Takes() && (w.ID != p.self.id || p.took) {
			p.takers[lease.Tag(w.ID)] = true
			workers = append(workers, plan.Worker{ID: w.ID, Max: w.MaxLeases})
		}
	}
	leases := make([]plan.Lease, 0, len(p.view.shards))
	for _, shard := range p.view.shards {
		row := p.view.get(shard)
		if !p.assignable(row) {
			continue
		}
		l := plan.Lease{Shard: shard, Load: p.loads[shard]}
		if h := p.holdings[shard]; h != nil {
			l.Owner, l.Load, l.Moving = p.self.id, h.publishedLoad, h.moving
		} else if held, ok := p.holderOf(row); ok {
			l.Owner, l.Moving = held.worker, held.moving
		} else if p.peers.unreadable(row.Owner) {
			l.Owner = row.Owner
		}
		leases = append(leases, l)
	}
	p.planned = plan.Make(leases, workers)
}

// mine tells whether a lease should be read here, as far as the plan knows.
func (p *planning) mine(shard string) bool {
	return p.planned[shard] == p.self.id || p.eager[shard]
}

// elsewhere tells whether the plan gives the lease to another worker.
func (p *planning) elsewhere(shard string) bool {
	to := p.planned[shard]
	return to != "" && to != p.self.id && !p.eager[shard]
}

// fresh tells whether a lease that is claimed now was seen at nobody else and
// is planned for this worker: the first to be ready is planned all of them, and
// there is no reason to keep them from the others.
func (p *planning) fresh(shard string) bool {
	return !p.others[shard] && !p.eager[shard] && p.planned[shard] == p.self.id
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
		clear(p.free)
		return
	}
	p.polls = p.polls[:0]
	var reads []string
	wake := p.now + rescan
	for _, shard := range p.view.shards {
		row := p.view.get(shard)
		if !p.assignable(row) {
			delete(p.free, shard)
			delete(p.others, shard)
			delete(p.promises, shard)
			continue
		}
		if p.holdings[shard] != nil {
			delete(p.free, shard)
			continue
		}
		if held, ok := p.holderOf(row); ok {
			delete(p.free, shard)
			delete(p.eager, shard)
			p.others[shard] = true
			if held.moving && (p.offered(row) || p.second(row)) {
				p.polls = append(p.polls, shard)
			}
			continue
		}
		wake = min(wake, p.consider(shard, row, &reads))
	}
	p.view.read(reads)
	p.requests.sweep()
	p.timers.set(p.timer, wake, func() { p.dirty = true })
	if len(p.polls) > 0 && !p.polling.pending() && p.able() {
		p.timers.set(p.polling, p.now+pollInterval, p.poll)
	}
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
