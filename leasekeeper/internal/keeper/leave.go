package keeper

import (
	"sort"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// leave is the way out (rule 9): DRAINING is published, 1¼H later everything is
// withdrawn and released, and when no grant can be live the own row is EVICTED.
type leave struct {
	told        bool // DRAINING has landed
	withdrawing bool
	signing     bool
}

// shutdown begins to leave, once.
func (k *Keeper) shutdown() {
	if k.leaving {
		return
	}
	k.leaving = true
	l := k.life
	k.note(Info, "leaving", Field{"worker", l.self.id}, Field{"leases", int64(len(l.holdings))})
	k.move("leaving", "", l.self.id, "")
	if l.self.row == nil { // a row that may land yet is evicted by peers
		k.exit(nil)
		return
	}
	k.timers.after(k.now+k.cfg.DrainTimeout, func() {
		k.note(Warn, "leaving without having handed everything over in time", Field{"leases", int64(len(l.holdings))})
		k.exit(nil)
	})
	// Where no heartbeat lands, nobody can be told: go on without.
	k.timers.after(k.now+2*k.cfg.heartbeat(), l.leave.begin(l))
	l.planning.stale, l.dirty = true, true
	l.self.publish()
}

// landed gives the peers 1¼H from the heartbeat that said DRAINING.
func (v *leave) landed(l *life, row *lease.Worker) {
	if !l.leaving || row.State != lease.Draining || v.told { // a released worker drains too, and stays
		return
	}
	v.told = true
	l.timers.after(l.now+l.planning.notice(), v.begin(l))
}

func (v *leave) begin(l *life) func() {
	return func() {
		v.withdrawing = true
		l.dirty = true
	}
}

// step signs off when nothing is held and no grant can be live (S8, L2).
func (v *leave) step(l *life) {
	if !l.leaving || !v.withdrawing || v.signing || l.exited || len(l.holdings)+len(l.claims) > 0 || l.self.beating != nil {
		return
	}
	for _, until := range l.over {
		if l.now < until {
			l.timers.after(until, func() { l.dirty = true })
			return
		}
	}
	v.signing = true
	l.timers.stop(l.self.beatTimer)
	v.sign(l, 0)
}

func (v *leave) sign(l *life, attempts int) {
	write := lease.WorkerWrite{Worker: l.self.id, If: lease.WorkerCondition{Counter: l.self.row.Counter}, Evict: true}
	l.do(write, func(a lease.Answer) {
		if a.Outcome == lease.Applied || a.Outcome == lease.Refused {
			l.note(Info, "signed off", Field{"worker", l.self.id})
			l.exit(nil)
			return
		}
		l.timers.after(l.now+l.backoff(attempts), func() { v.sign(l, attempts+1) })
	})
}

func sortedWorkers(rows []*lease.Worker) []*lease.Worker {
	sort.Slice(rows, func(i, j int) bool { return rows[i].ID < rows[j].ID })
	return rows
}
