package sim

import (
	"fmt"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// What the simulated KCL application is configured with.
const (
	kclFailover = 15 * time.Second
	kclRenewal  = kclFailover / 3
	kclPace     = 20 * time.Second // between two leases it takes
)

// kclWorker is a worker of a KCL application: it renews its leases by their
// counter, takes those whose counter stands still for the failover time, and
// reads what it renewed within that time.
type kclWorker struct {
	w      *world
	name   string
	dead   bool
	paused bool
	took   time.Duration // when it last took a lease from somebody
	held   map[string]*kclLease
	seen   map[string]*kclSeen
}

type kclLease struct {
	counter int64
	renewed time.Duration
}

type kclSeen struct {
	counter int64
	since   time.Duration
}

// startKCL begins with the tables as a KCL application left them: two workers
// that are still alive.
func (w *world) startKCL() {
	for i := range 2 {
		w.kcl = append(w.kcl, &kclWorker{w: w, name: fmt.Sprintf("kcl-host:%d", i), held: map[string]*kclLease{}, seen: map[string]*kclSeen{}})
	}
	for i, s := range w.stream.shards {
		k := w.kcl[i%2]
		row := &lease.Row{Shard: s.id, Owner: k.name, Counter: 7, Checkpoint: lease.Checkpoint{Sequence: lease.TrimHorizon}}
		w.tables.leases.put(s.id, row)
		w.check.made[s.id] = true
		k.held[s.id] = &kclLease{counter: 7, renewed: w.now}
	}
	for _, k := range w.kcl {
		w.after(w.between(0, kclRenewal), k.turn)
	}
}

// endKCL: one worker dies at once; the other takes its leases one by one, pauses for less
// than its failover time, goes on, and dies later.
func (w *world) endKCL() {
	a, b := w.kcl[0], w.kcl[1]
	w.after(w.between(0, 5*time.Second), func() { w.tracef("%s dies", a.name); a.dead = true })
	w.after(w.between(35*time.Second, 40*time.Second), func() {
		w.tracef("%s is stopped for a while", b.name)
		b.paused = true
		w.after(w.between(8500*time.Millisecond, kclFailover-kclRenewal-time.Second/2), func() { b.paused = false })
	})
	w.after(w.between(60*time.Second, 100*time.Second), func() { w.tracef("%s dies", b.name); b.dead = true })
	w.runUntil(w.now + 101*time.Second)
}

// holds tells whether the worker may be reading the shard.
func (k *kclWorker) holds(shard string) bool {
	l := k.held[shard]
	return l != nil && !k.dead && k.w.now < l.renewed+kclFailover
}

func (k *kclWorker) turn() {
	if k.dead {
		return
	}
	if !k.paused {
		for _, s := range k.w.stream.shards {
			k.renewOrTake(s.id)
		}
	}
	k.w.after(kclRenewal, k.turn)
}

func (k *kclWorker) renewOrTake(shard string) {
	row := k.w.tables.leases.rows[shard]
	if row == nil || row.Finished() {
		return
	}
	if l := k.held[shard]; l != nil {
		if row.Owner != k.name || row.Counter != l.counter {
			delete(k.held, shard) // lost
			return
		}
		k.put(row, l)
		return
	}
	seen := k.seen[shard]
	if seen == nil || seen.counter != row.Counter {
		k.seen[shard] = &kclSeen{counter: row.Counter, since: k.w.now}
		return
	}
	if k.w.now-seen.since > kclFailover && k.w.now-k.took > kclPace {
		k.took = k.w.now
		k.w.tracef("%s takes %s from %s", k.name, short(shard), row.Owner)
		k.held[shard] = &kclLease{}
		k.put(row, k.held[shard])
		for _, h := range k.w.check.live[k.w.stream.byID[shard]] {
			if h.live(k.w.now) {
				k.w.violate("I1", "%s is read by the KCL worker %s and by %s", shard, k.name, h.reader.task.name)
			}
		}
	}
}

func (k *kclWorker) put(row *lease.Row, l *kclLease) {
	renewed := *row
	renewed.Owner, renewed.Counter = k.name, row.Counter+1
	l.counter, l.renewed = renewed.Counter, k.w.now
	k.w.tables.leases.put(row.Shard, &renewed)
}
