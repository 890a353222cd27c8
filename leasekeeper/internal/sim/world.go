package sim

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"time"
)

// epoch is the wall clock at virtual time 0.
func epoch() time.Time { return time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC) }

// world is everything there is.
type world struct {
	now    time.Duration // true time
	queue  eventQueue
	seq    uint64
	steps  uint64
	digest uint64
	rng    *rand.Rand
	opts   Options
	result Result

	sc      scenario
	weather weather
	tables  tables
	stream  stream
	tasks   []*task
	kcl     []*kclWorker
	check   checker

	operator operator
	nextID   uint64
}

func newWorld(o Options) *world {
	w := &world{opts: o, rng: rand.New(rand.NewPCG(o.Seed, 0x5eed)), digest: 14695981039346656037}
	w.sc = chooseScenario(o.Seed, w.rng)
	w.tables = newTables()
	w.stream.init(w)
	w.check = newChecker(w)
	w.operator = newOperator(w)
	w.tracef("seed %d: %s", o.Seed, w.sc)
	return w
}

// at plans f for time t, not before now. Equal times run in the order planned.
func (w *world) at(t time.Duration, f func()) {
	w.seq++
	heap.Push(&w.queue, event{at: max(t, w.now), seq: w.seq, run: f})
}

func (w *world) after(d time.Duration, f func()) { w.at(w.now+d, f) }

// runUntil executes what is planned up to t, or until something was violated.
func (w *world) runUntil(t time.Duration) {
	for len(w.queue) > 0 && w.queue[0].at <= t && w.result.Violation == "" {
		e := heap.Pop(&w.queue).(event)
		w.now = e.at
		w.steps++
		w.mix(uint64(e.at))
		e.run()
	}
	if w.result.Violation == "" {
		w.now = max(w.now, t)
	}
}

// mix goes into the digest by which two runs are compared (FNV-1a).
func (w *world) mix(v uint64) { w.digest = (w.digest ^ v) * 1099511628211 }

func (w *world) tracef(format string, args ...any) {
	if w.opts.Trace != nil {
		_, _ = fmt.Fprintf(w.opts.Trace, "%10.3f  %s\n", w.now.Seconds(), fmt.Sprintf(format, args...))
	}
}

// chance is true with probability p.
func (w *world) chance(p float64) bool { return p > 0 && w.rng.Float64() < p }

// between draws a duration from lo up to hi.
func (w *world) between(lo, hi time.Duration) time.Duration {
	if hi <= lo {
		return lo
	}
	return lo + time.Duration(w.rng.Int64N(int64(hi-lo)))
}

type event struct {
	at  time.Duration
	seq uint64
	run func()
}

type eventQueue []event

func (q eventQueue) Len() int { return len(q) }
func (q eventQueue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].seq < q[j].seq
}
func (q eventQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *eventQueue) Push(x any)   { *q = append(*q, x.(event)) }
func (q *eventQueue) Pop() any {
	old := *q
	e := old[len(old)-1]
	old[len(old)-1] = event{}
	*q = old[:len(old)-1]
	return e
}
