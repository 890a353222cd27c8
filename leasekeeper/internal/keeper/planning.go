package keeper

import (
	"sort"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/plan"
)

// pollInterval is how often the row of a lease that is being handed over is
// read by the worker it is planned for (rule 7).
const pollInterval = 200 * time.Millisecond

// planning turns what is known into what is to be claimed, polled and given up
// (rules 6 to 8). The plan is computed only when its inputs changed.
type planning struct {
	*life
	stale   bool
	planned map[string]string     // shard → worker
	holders map[string]holder     // shard → who holds it, this worker apart
	loads   map[string]int64      // bytes per second, as whoever holds or held it last said
	free    map[string]*freeLease // assignable leases in no live worker's held
	others  map[string]bool       // assignable leases that another worker was seen to hold
	eager   map[string]bool       // children of a shard finished here: claimed at once
	polls   []string              // leases handed over to this worker
	moving  map[string]int64      // announced leases of ours → generation
	timer   *timer                // for the earliest free lease that anybody may claim
	polling *timer
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
	since time.Duration // when that was seen
	open  time.Duration // from when on anybody may claim it (L1)
	next  time.Duration // not before this is it tried again
}

func newPlanning(l *life) planning {
	return planning{
		life: l, stale: true, planned: map[string]string{}, holders: map[string]holder{}, loads: map[string]int64{},
		free: map[string]*freeLease{}, others: map[string]bool{}, eager: map[string]bool{}, moving: map[string]int64{},
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
			p.holders[held.Shard] = holder{worker: id, generation: held.Generation, moving: held.Moving || !row.Takes(), since: since}
		}
	}
	p.seen(before)
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
	for _, w := range p.peers.live() {
		if w.Takes() && (w.ID != p.self.id || !p.leaving) {
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
			if held.moving && p.mine(shard) {
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

// consider looks at one lease that nobody says it holds and returns when to
// look again.
func (p *planning) consider(shard string, row *lease.Row, reads *[]string) time.Duration {
	f := p.free[shard]
	if f == nil {
		h := p.cfg.heartbeat()
		f = &freeLease{since: p.now, open: p.now + h + time.Duration(p.rng.Int64N(int64(h/2)+1))}
		p.free[shard] = f
	}
	switch {
	case p.claims[shard] != nil:
		return p.now + rescan // goes its own way
	case !p.able():
		if row.Owner == p.self.id && p.self.good && p.now >= f.next {
			f.next = p.now + p.cfg.heartbeat()
			p.disown(row)
		}
		return p.now + rescan // whatever makes it able makes it dirty
	case !p.mine(shard) && p.now < f.open:
		return f.open
	case p.now < f.next:
		return f.next
	case p.view.claimable(row):
		f.next = p.now + p.cfg.heartbeat()/2
		p.claim(shard)
		return f.next
	}
	// Owned by a worker that does not say so: it has just claimed it, or just
	// released it. The row tells.
	f.next = p.now + p.cfg.heartbeat()
	if p.view.rows[shard].asOf < p.now {
		*reads = append(*reads, shard)
	}
	return f.next
}

// poll reads the rows of the leases that are being handed over to this worker.
func (p *planning) poll() {
	if len(p.polls) == 0 || !p.able() {
		return
	}
	const few = 8
	p.timers.set(p.polling, p.now+pollInterval, p.poll)
	if len(p.polls) > few {
		p.view.scanThen(func([]*lease.Row) { p.claimReleased() })
		return
	}
	for _, shard := range p.polls {
		p.view.readOne(shard, func(*lease.Row, bool) { p.claimReleased() })
	}
}

// claimReleased claims what the giver of a polled lease has released.
func (p *planning) claimReleased() {
	for _, shard := range p.polls {
		if row := p.view.get(shard); row != nil && row.Owner == "" && p.mine(shard) && p.able() {
			p.claim(shard)
		}
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

// announce marks, before a heartbeat is built, the leases that this worker will
// give up: at most max(1, a tenth) a heartbeat, none younger than 2D (rule 6);
// of younger ones only what is fresh, half of it each time.
func (p *planning) announce() {
	if p.leaving || p.requests.paused || !p.self.good || !p.session.ready() {
		return
	}
	if p.stale && p.view.known && p.peers.known {
		p.replan()
	}
	left := max(1, len(p.holdings)/10)
	var fresh []*holding
	for _, h := range p.sorted() {
		switch {
		case h.phase != serving:
		case h.moving && !p.elsewhere(h.shard):
			h.moving = false
		case h.moving:
			left-- // announced before and not withdrawn yet
		case !p.elsewhere(h.shard):
		case p.now-h.claimedAt < 2*p.cfg.Duration:
			if h.fresh {
				fresh = append(fresh, h)
			}
		case left > 0:
			h.moving = true
			left--
		}
	}
	for _, h := range fresh[:(len(fresh)+1)/2] {
		h.moving = true
	}
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
		if held.Moving && p.moving[held.Shard] != held.Generation {
			moving = append(moving, held)
			p.moving[held.Shard] = held.Generation
		}
	}
	if len(moving) > 0 {
		p.timers.after(p.now+p.cfg.announcement(), func() { p.withdrawMoving(moving) })
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

func (p *planning) withdrawMoving(moving []lease.Held) {
	for _, held := range moving {
		delete(p.moving, held.Shard)
		h := p.holdings[held.Shard]
		if h == nil || h.generation != held.Generation || h.phase != serving {
			continue
		}
		if p.elsewhere(h.shard) {
			h.withdraw("planned for " + p.planned[h.shard])
		} else {
			h.moving = false
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
		if h.phase == serving && (p.session.draining || p.elsewhere(h.shard)) {
			h.withdraw(reason)
		}
	}
	p.dirty = true
}
