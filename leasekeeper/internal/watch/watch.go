// Package watch tells which of many counters have stood still for their time,
// by the watcher's own clock alone.
//
// A watch begins when the answer that first showed a value arrived, never when
// the question was sent: a slow answer may bring a value that was written after
// it was asked for (attack S7).
package watch

import (
	"math"
	"sort"
	"time"
)

// Never is later than every time.
const Never = time.Duration(math.MaxInt64)

// Board watches counters by name. The zero value is ready for use.
type Board struct {
	watches map[string]entry
}

type entry struct {
	value int64
	since time.Duration
	still time.Duration // how long it must stand still
}

// See notes that an answer which arrived at now showed value. The watch begins
// anew when the value is another than before; still may change without that.
func (b *Board) See(now time.Duration, name string, value int64, still time.Duration) {
	if b.watches == nil {
		b.watches = make(map[string]entry)
	}
	e, seen := b.watches[name]
	if !seen || e.value != value {
		e.value, e.since = value, now
	}
	e.still = still
	b.watches[name] = e
}

// Forget ends the watch of name.
func (b *Board) Forget(name string) { delete(b.watches, name) }

// Keep ends every watch whose name keep denies.
func (b *Board) Keep(keep func(name string) bool) {
	for name := range b.watches {
		if !keep(name) {
			delete(b.watches, name)
		}
	}
}

// Reset ends every watch: what is seen next is watched anew (rule 2, attack L3).
func (b *Board) Reset() { b.watches = nil }

// Len is the number of watches.
func (b *Board) Len() int { return len(b.watches) }

// Watched returns the value that name is watched at, and since when.
func (b *Board) Watched(name string) (value int64, since time.Duration, seen bool) {
	e, seen := b.watches[name]
	return e.value, e.since, seen
}

// StoodStill tells whether name is watched and stood still for its time.
func (b *Board) StoodStill(now time.Duration, name string) bool {
	e, seen := b.watches[name]
	return seen && now >= e.since+e.still
}

// Still returns, sorted, the names that stood still for their time, and when
// the next of the others will have: Never where there is none.
func (b *Board) Still(now time.Duration) (names []string, next time.Duration) {
	next = Never
	for name, e := range b.watches {
		if at := e.since + e.still; at <= now {
			names = append(names, name)
		} else {
			next = min(next, at)
		}
	}
	sort.Strings(names)
	return names, next
}
