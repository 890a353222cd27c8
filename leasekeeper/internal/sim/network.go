package sim

import (
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// weather is how bad the network to the tables and to the stream is.
type weather struct {
	outage    bool
	lost      float64 // a request that never arrives
	unheard   float64 // an answer that never arrives
	late      float64 // a write that lands up to lateness after it was given up
	doubled   float64 // a write that lands once more, up to lateness later
	throttled float64
	slow      float64 // a leg of up to a second
}

const (
	lateness  = 20 * time.Second
	wholeScan = 30 * time.Second // bound on all pages of a scan or a list together
)

// fair is the weather of an ordinary day, foul that of a bad one.
func fair() weather {
	return weather{lost: 0.0005, unheard: 0.0005, late: 0.0005, doubled: 0.002, throttled: 0.001, slow: 0.002}
}

func foul() weather {
	return weather{lost: 0.06, unheard: 0.12, late: 0.12, doubled: 0.1, throttled: 0.05, slow: 0.1}
}

func (w *world) isFoul() bool { return w.weather.outage || w.weather.lost > fair().lost }

// leg is how long a message takes one way.
func (w *world) leg() time.Duration {
	if w.chance(w.weather.slow) {
		return w.between(50*time.Millisecond, time.Second)
	}
	return w.between(time.Millisecond, 8*time.Millisecond)
}

// attempt executes op once for a keeper; answer is called once, at the latest
// after the bound on an attempt.
func (w *world) attempt(t *task, op lease.Op, answer func(lease.Answer)) {
	bound := w.sc.attempt
	switch op.(type) {
	case lease.ScanLeases, lease.ScanWorkers, lease.ListShards:
		bound = wholeScan
	}
	answered := false
	once := func(a lease.Answer) {
		if !answered {
			answered = true
			answer(a)
		}
	}
	unknown := func() { once(lease.Answer{Outcome: lease.Unknown}) }
	w.after(bound, unknown)
	switch {
	case t.isolated || w.weather.outage || w.chance(w.weather.lost):
		if w.chance(0.5) { // refused or reset at once; else it hangs
			w.after(w.leg(), unknown)
		}
		w.after(w.sc.attempt, unknown)
		return
	case w.chance(w.weather.throttled):
		w.after(w.leg(), func() { once(lease.Answer{Outcome: lease.Failed}) })
		return
	}
	switch op.(type) {
	case lease.LeaseWrite, lease.WorkerWrite, lease.StreamWrite:
		w.attemptWrite(t, op, once)
	default:
		w.after(w.leg(), func() { w.read(t, op, once) })
	}
}

func (w *world) attemptWrite(t *task, op lease.Op, once func(lease.Answer)) {
	if w.chance(w.weather.late) {
		if w.chance(0.5) {
			w.after(w.leg(), func() { once(lease.Answer{Outcome: lease.Unknown}) })
		}
		w.after(w.between(0, lateness), func() { t.write(op, t.name+" (late)") })
		return
	}
	if w.chance(w.weather.doubled) {
		w.after(w.between(0, lateness), func() { t.write(op, t.name+" (again)") })
	}
	w.after(w.leg(), func() {
		a := t.write(op, t.name)
		if !w.chance(w.weather.unheard) {
			w.after(w.leg(), func() { once(a) })
		}
	})
}

// read reads page by page, each at its own moment.
func (w *world) read(t *task, op lease.Op, once func(lease.Answer)) {
	reply := func(a lease.Answer) {
		a.Outcome = lease.Applied
		if w.chance(w.weather.unheard) {
			w.after(w.sc.attempt, func() { once(lease.Answer{Outcome: lease.Unknown}) })
			return
		}
		w.after(w.leg(), func() { once(a) })
	}
	switch op := op.(type) {
	case lease.GetLease:
		reply(lease.Answer{Lease: w.tables.leases.rows[op.Shard]})
	case lease.ScanLeases:
		scanPages(w, &w.tables.leases, "", nil, func(rows []*lease.Row) { reply(lease.Answer{Leases: rows}) })
	case lease.ScanWorkers:
		workers, row := t.workers()
		stream := *row
		scanPages(w, workers, "", nil, func(rows []*lease.Worker) {
			if w.chance(0.5) { // `#stream` is on the last page, or on the first
				stream = *row
			}
			reply(lease.Answer{Workers: rows, Stream: stream})
		})
	case lease.ListShards:
		w.stream.list(w, op.Since, func(l *lease.Listing) { reply(lease.Answer{Listing: l}) })
	}
}

func scanPages[R any](w *world, t *table[R], after string, rows []*R, done func([]*R)) {
	page, last := t.page(after, w.sc.pageSize)
	rows = append(rows, page...)
	if last == "" {
		done(rows)
		return
	}
	w.after(w.leg(), func() { scanPages(w, t, last, rows, done) })
}
