package keeper

import (
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/watch"
)

// peers is what this worker knows of all workers, and its judgement of who is
// dead (rules 2, 3 and 5).
type peers struct {
	*life
	rows     map[string]*lease.Worker // by id, this worker's included, as last read
	known    bool                     // one scan at least has arrived
	current  bool                     // and one that began when this worker had its row: who asked before does not wait for it
	stream   *lease.Stream            // the `#stream` row; nil: not seen yet
	binding  bool                     // the lease table's name is being written to it
	counters watch.Board              // of live peers' heartbeats
	missing  watch.Board              // owners of our form without a row, from the first scan without it (S8)
	evicting map[string]*eviction     // begun and not known to be done

	scanning, scanAgain   bool
	waiting               []func() // called after the next scan that starts after they were added
	scanFailures          int
	scanTimer, watchTimer *timer
}

// eviction is the way to an EVICTED row.
type eviction struct {
	writing  bool
	attempts int           // that failed
	next     time.Duration // not before this is it attempted again
}

// scan reads the worker table; while one scan is on its way, once more after it.
func (p *peers) scan() {
	if p.scanning {
		p.scanAgain = true
		return
	}
	p.scanning = true
	registered, waiting := p.self.row != nil, p.waiting
	p.waiting = nil
	p.timers.stop(p.scanTimer)
	p.do(lease.ScanWorkers{}, func(a lease.Answer) {
		p.scanning = false
		if a.Outcome != lease.Applied {
			p.counts.ScanFailures++
			p.waiting = append(waiting, p.waiting...)
			p.timers.set(p.scanTimer, p.now+p.backoff(p.scanFailures), p.scan)
			p.scanFailures++
			return
		}
		p.scanFailures = 0
		p.current = p.current || registered
		p.scanned(a)
		if p.exited {
			return
		}
		for _, f := range waiting {
			f()
		}
		if p.scanAgain && !p.exited {
			p.scanAgain = false
			p.scan()
		}
	})
}

// scanThen calls f when a scan that starts from now on has arrived.
func (p *peers) scanThen(f func()) {
	p.waiting = append(p.waiting, f)
	p.scan()
}

func (p *peers) scanned(a lease.Answer) {
	rows := make(map[string]*lease.Worker, len(a.Workers))
	changed := !p.known || len(a.Workers) != len(p.rows)
	for _, row := range a.Workers {
		old := p.rows[row.ID]
		if old != nil && old.State == lease.Evicted {
			row = old // EVICTED is final: an older answer cannot take it back
		}
		rows[row.ID] = row
		if row.ID != p.self.id && row.State != lease.Evicted {
			p.counters.See(p.now, row.ID, row.Counter, row.ValidDuration())
		} else {
			p.counters.Forget(row.ID)
		}
		changed = changed || differs(old, row)
		p.tell(old, row)
	}
	p.rows, p.known = rows, true
	p.counters.Keep(func(id string) bool { return rows[id] != nil })
	p.missing.Keep(func(id string) bool { return rows[id] == nil })
	if changed {
		p.dirty = true
		p.planning.peersChanged()
	}
	p.seeMissing()
	p.judge()
	p.streamSeen(a.Stream)
}

// tell notes, for people, that a peer came or is going.
func (p *peers) tell(old, row *lease.Worker) {
	if row.HeldErr != nil && (old == nil || old.HeldErr == nil) {
		p.note(Warn, "what a worker holds cannot be read: the lease table alone says it", Field{"peer", row.ID}, Field{"error", row.HeldErr})
	}
	switch {
	case row.ID == p.self.id:
	case old == nil && row.State != lease.Evicted && p.known:
		p.move("joined", "", "", row.ID)
	case old != nil && old.State != row.State:
		p.move(strings.ToLower(string(row.State)), "", row.ID, "")
	}
}

// differs tells whether two rows of a worker differ in what decisions rest on.
func differs(a, b *lease.Worker) bool {
	return a == nil || a.State != b.State || (a.HeldErr == nil) != (b.HeldErr == nil) || a.Ready != b.Ready || a.MaxLeases != b.MaxLeases ||
		!slices.EqualFunc(a.Held, b.Held, func(x, y lease.Held) bool {
			return x.Shard == y.Shard && x.Generation == y.Generation && x.Moving == y.Moving && x.To == y.To && x.BytesPerSecond == y.BytesPerSecond
		})
}

// seeMissing watches the owners that have no row, from now at the earliest.
func (p *peers) seeMissing() {
	if !p.known {
		return
	}
	still := p.cfg.Duration // the row that told its D is gone: the longest D in the fleet stands for it
	for _, row := range p.rows {
		if row.State != lease.Evicted {
			still = max(still, row.ValidDuration())
		}
	}
	owners := p.view.owners()
	p.missing.Keep(func(id string) bool { return owners[id] })
	for id := range owners {
		if id != p.self.id && p.rows[id] == nil && lease.OwnForm(id) {
			p.missing.See(p.now, id, 0, still)
		}
	}
}

// restartWatches forgets what stood still while this worker itself was cut off (L3).
func (p *peers) restartWatches() {
	p.counters.Reset()
	p.missing.Reset()
}

// judge evicts whoever stood still for its lease duration and sets the timer
// for the next one: not aligned with scans (L6).
func (p *peers) judge() {
	still, next := p.counters.Still(p.now)
	missing, nextMissing := p.missing.Still(p.now)
	if at := min(next, nextMissing); at < watch.Never {
		p.timers.set(p.watchTimer, at, p.judge)
	}
	if !p.self.good {
		return // who was cut off judges nobody (rule 2)
	}
	for id, e := range p.evicting { // who moved again, and stands still later, is evicted anew
		if !e.writing && !slices.Contains(still, id) && !slices.Contains(missing, id) {
			delete(p.evicting, id)
		}
	}
	for _, id := range still {
		counter, _, _ := p.counters.Watched(id)
		p.evict(id, lease.WorkerWrite{Worker: id, If: lease.WorkerCondition{Counter: counter}, Evict: true})
	}
	for _, id := range missing {
		p.evict(id, lease.WorkerWrite{Worker: id, Create: &lease.Worker{
			ID: id, State: lease.Evicted, Duration: p.cfg.Duration, StartedAt: p.wall(), ExpiresAt: p.expiry(),
			Version: p.cfg.Version,
		}})
	}
}

func (p *peers) evict(id string, write lease.WorkerWrite) {
	e := p.evicting[id]
	if e == nil {
		e = &eviction{}
		p.evicting[id] = e
		p.tellEvicting(id, write)
	}
	if e.writing || p.now < e.next {
		return
	}
	e.writing = true
	p.do(write, func(a lease.Answer) {
		e.writing = false
		if a.Outcome == lease.Applied || a.Outcome == lease.Refused {
			delete(p.evicting, id)
		}
		switch a.Outcome {
		case lease.Applied:
			p.counts.Evictions++
			p.move("evicted", "", id, "")
			p.evicted(id, a.Worker)
			p.planning.standIn(id)
		case lease.Refused:
			p.notEvicted(id, a.Worker)
		default: // tried again while the watch says so; what was seen since then ends it
			e.next = p.now + p.backoff(e.attempts)
			e.attempts++
			p.timers.after(e.next, p.judge)
		}
	})
}

func (p *peers) tellEvicting(id string, write lease.WorkerWrite) {
	if write.Create != nil {
		p.note(Warn, "leases name an owner that has no row in the worker table: evicting it", Field{"peer", id})
		return
	}
	p.note(Info, "evicting worker", Field{"peer", id})
}

func (p *peers) notEvicted(id string, met *lease.Worker) {
	switch {
	case met == nil:
		p.counters.Forget(id)
		delete(p.rows, id)
		p.dirty = true
		p.planning.peersChanged()
		p.seeMissing()
		p.judge()
	case met.State == lease.Evicted:
		p.evicted(id, met)
	default: // alive after all
		p.missing.Forget(id)
		p.rows[id] = met
		p.counters.See(p.now, id, met.Counter, met.ValidDuration())
		p.judge()
	}
}

func (p *peers) evicted(id string, row *lease.Worker) {
	p.counters.Forget(id)
	p.missing.Forget(id)
	p.rows[id] = row
	p.dirty = true
	p.planning.peersChanged()
}

// dead tells whether owner is known to be EVICTED.
func (p *peers) dead(owner string) bool {
	row := p.rows[owner]
	return row != nil && row.State == lease.Evicted
}

// unreadable tells whether owner is a live worker whose row does not say what
// it holds. Its leases are planned by the owner in their rows, and these are
// read every H, as those of any worker that does not say so.
func (p *peers) unreadable(owner string) bool {
	row := p.rows[owner]
	return row != nil && row.State != lease.Evicted && row.HeldErr != nil
}

// live returns the workers that are not EVICTED, this one included, by id.
func (p *peers) live() []*lease.Worker {
	live := make([]*lease.Worker, 0, len(p.rows))
	for id, row := range p.rows {
		if row.State != lease.Evicted && id != p.self.id {
			live = append(live, row)
		}
	}
	if p.self.row != nil {
		live = append(live, p.self.row)
	}
	sort.Slice(live, func(i, j int) bool { return live[i].ID < live[j].ID })
	return live
}
