// Package sim runs whole fleets in virtual time: the real keepers with the real
// planner, on simulated tables, a simulated stream, consumers that keep the
// contract, clocks that drift, and a schedule of faults, all of it from one
// seed. One goroutine, one heap of events, one random source: the same seed
// gives the same run, step for step.
//
// The invariants of docs/DESIGN.md are checked with the knowledge no process
// has, true time and all of the state:
//
//   - I1 whenever a consumer starts or extends a grant, and
//   - I3 and "no record is skipped" whenever it starts one;
//   - I2 and the rows' own rules at every write of the lease table;
//   - that a paused fleet reads nothing, and that a rewind begins each shard that
//     was meant anew, nobody reading it or what is below it;
//   - I4 every 50 ms after a single fault, and after every schedule's last one;
//   - I5 over a quiet stretch at the end, and that what was handed over stays for 2D.
//
// What it does not do: it knows no real network, disk or scheduler, and its
// consumers and tables are models. The end-to-end tests have the real ones.
package sim

import (
	"fmt"
	"io"
	"time"
)

// Options say what to run.
type Options struct {
	Seed  uint64
	Trace io.Writer // every step in words; nil: none
}

// Result is what came of one schedule.
type Result struct {
	Seed       uint64
	Scenario   string        // what the seed chose, in words
	Kind       string        // the kind of schedule
	Virtual    time.Duration // virtual time that passed
	Fleet      time.Duration // virtual time summed over workers
	Steps      uint64        // events executed
	Claims     uint64        // changes of owner that landed
	Evictions  uint64        // workers declared dead that landed
	Recovery   time.Duration // from the last fault until every lease was held again
	Reshard    time.Duration // from a reshard in a calm fleet until its children were read
	Rewinds    uint64        // rows that were rewound
	Rewind     time.Duration // from asking for a rewind in a calm fleet until every row was rewound, else 0
	LongestGap time.Duration // a single fault's longest time without a ready holder, else 0
	Violation  string        // what was violated, first; empty: nothing
	Digest     uint64        // of every step: equal for equal runs
}

// Run executes the schedule of a seed. The result is the same every time.
func Run(o Options) Result {
	w := newWorld(o)
	w.play()
	r := w.result
	r.Seed, r.Scenario, r.Kind, r.Virtual, r.Steps, r.Digest = o.Seed, w.sc.String(), w.sc.kind, w.now, w.steps, w.digest
	for _, t := range w.tasks {
		r.Fleet += t.lived(w.now)
	}
	return r
}

// violate notes the first violation; the schedule ends there.
func (w *world) violate(invariant, format string, args ...any) {
	if w.result.Violation != "" {
		return
	}
	w.result.Violation = fmt.Sprintf("%s at %v: %s", invariant, w.now.Round(time.Millisecond), fmt.Sprintf(format, args...))
	w.tracef("VIOLATION %s", w.result.Violation)
}

// KindLarge is the kind of the schedules with 1,000 shards and 100 workers.
const KindLarge = kindLarge

// Kind is the kind of schedule that a seed gives.
func Kind(seed uint64) string { return kindOf(seed) }
