package shard

import (
	"sync"
	"time"
)

// window is the least time over which a rate is measured.
const window = time.Second

// rate measures how much is read. It is safe for use by several goroutines.
type rate struct {
	began time.Time
	quiet time.Duration // without a read, until that counts as being behind

	mu             sync.Mutex
	since, last    time.Time
	records, bytes int64
	behindMS       int64
	perSecond      struct{ records, bytes int64 }
}

func (r *rate) add(records int, bytes, behindMS int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = time.Now()
	if r.since.IsZero() {
		r.since = r.last
	}
	r.records += int64(records)
	r.bytes += bytes
	r.behindMS = behindMS
}

// latest returns when something was last added; zero if never.
func (r *rate) latest() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

// report returns how far the last read was behind, and how long ago it was if that
// is longer than it should be, for nobody has looked since; and the rates of the
// last full window, half of them from those before.
func (r *rate) report(now time.Time) (behindMS, records, bytes int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if took := now.Sub(r.since); !r.since.IsZero() && took >= window {
		r.perSecond.records = (r.perSecond.records + int64(float64(r.records)/took.Seconds())) / 2
		r.perSecond.bytes = (r.perSecond.bytes + int64(float64(r.bytes)/took.Seconds())) / 2
		r.records, r.bytes, r.since = 0, 0, now
	}
	return r.behindMS + r.unread(now).Milliseconds(), r.perSecond.records, r.perSecond.bytes
}

// unread returns for how long there was no read, 0 if that is as it should be.
// The lock is held.
func (r *rate) unread(now time.Time) time.Duration {
	last := r.last
	if last.IsZero() {
		last = r.began
	}
	if d := now.Sub(last); d > r.quiet {
		return d
	}
	return 0
}
