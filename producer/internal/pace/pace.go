// Package pace finds how fast one shard takes records when it throttles.
//
// As long as a shard refuses little, nothing is held back: the refused entries
// are simply sent again. When it refuses more than a tenth of what a window
// brought, it is sent no more than what it accepted in that window, and a tenth
// more with every window that goes well: so several producers that share a
// shard settle near its limit. When holding back does not help, because others
// use the shard up, it is given up for a while. A shard that refuses everything is left alone
// for a random while that doubles each time.
package pace

import (
	"math"
	"time"
)

const (
	window    = 250 * time.Millisecond
	tolerated = 0.10                  // share of refused records that slows nothing
	growth    = 1.10                  // of the rate, for each good window
	slowest   = 4.0                   // records a second
	calm      = 40                    // good windows in a row, and the rate is free again
	burst     = 0.1                   // seconds of the rate that may go at once
	quantum   = 0.05                  // seconds of the rate that go together, so that requests are not tiny
	early     = 50 * time.Millisecond // a window with many refusals ends then
	many      = 50                    // records that make a window
	few       = 10                    // refusals slow nothing
	longest   = 2 * time.Second       // a window with few records

	useless      = 2 * time.Second // of cuts that should have helped
	unchanged    = 0.6             // of the share refused before them, is no help
	stubbornness = 10 * time.Second
	firstPause   = 50 * time.Millisecond
	maxPause     = 5 * time.Second
)

// Pace is the state for one shard. The zero value holds nothing back. Times
// come from the caller. Not safe for concurrent use.
type Pace struct {
	rate   float64 // records a second; 0: free
	tokens float64
	filled time.Time // when tokens were last added
	until  time.Time // nothing before

	begin             time.Time // of the window
	accepted, refused int
	good              int // good windows in a row
	strikes           int // answers in a row without anything accepted

	cuts        int       // in a row, without a good window between
	shareBefore float64   // refused before the first of them
	firstCut    time.Time // when that was
	stubborn    time.Time // no cuts before
}

// Allow is how many records may go now.
func (p *Pace) Allow(now time.Time) int {
	if now.Before(p.until) {
		return 0
	}
	if p.rate == 0 {
		return math.MaxInt
	}
	most := max(1, p.rate*burst)
	p.tokens = min(most, p.tokens+p.rate*now.Sub(p.filled).Seconds())
	p.filled = now
	if p.tokens < p.enough() {
		return 0
	}
	return int(p.tokens)
}

// enough is how many tokens must be there before anything goes.
func (p *Pace) enough() float64 { return max(1, math.Floor(p.rate*quantum)) }

// Next is when Allow will be more than zero, if nothing else happens.
func (p *Pace) Next(now time.Time) time.Time {
	next := now
	if p.rate > 0 && p.tokens < p.enough() {
		missing := (p.enough() - p.tokens) / p.rate
		next = p.filled.Add(time.Duration(missing*float64(time.Second)) + time.Microsecond)
	}
	if next.Before(p.until) {
		next = p.until
	}
	return next
}

// Sent notes that n records go now.
func (p *Pace) Sent(n int) {
	if p.rate > 0 {
		p.tokens -= float64(n)
	}
}

// Answer notes what one request brought: records accepted and records refused
// for their rate. jitter is uniform in [0, 1).
func (p *Pace) Answer(now time.Time, accepted, refused int, jitter float64) {
	if p.begin.IsZero() {
		p.begin = now
	}
	p.accepted += accepted
	p.refused += refused
	switch {
	case accepted > 0:
		p.strikes = 0
	case refused > 0:
		limit := min(maxPause, firstPause<<min(p.strikes, 16))
		p.until = now.Add(time.Duration(jitter * float64(limit)))
		p.strikes++
	}
	elapsed := now.Sub(p.begin)
	enough := p.accepted+p.refused >= many || elapsed >= longest
	if elapsed >= window && enough || elapsed >= early && p.refused >= many {
		p.close(now, elapsed)
	}
}

// close judges a window.
func (p *Pace) close(now time.Time, elapsed time.Duration) {
	share := float64(p.refused) / float64(max(1, p.accepted+p.refused))
	took := float64(p.accepted) / elapsed.Seconds()
	switch {
	case share > tolerated && p.refused >= few:
		p.good = 0
		p.cut(now, share, took)
	case p.rate > 0:
		p.cuts = 0
		p.good++
		p.rate *= growth
		if p.good >= calm {
			p.rate, p.good = 0, 0
		}
	}
	p.begin, p.accepted, p.refused = now, 0, 0
}

// cut holds the shard to what it took. When that was done for a while and as much
// is refused as before, it is not this producer's rate that is refused: others
// use the shard up. Giving way alone would only starve this one, so it does not
// for a while.
func (p *Pace) cut(now time.Time, share, took float64) {
	switch {
	case now.Before(p.stubborn):
		return
	case p.cuts == 0:
		p.shareBefore, p.firstCut = share, now
	case now.Sub(p.firstCut) >= useless && share > unchanged*p.shareBefore:
		p.rate, p.cuts, p.stubborn = 0, 0, now.Add(stubbornness)
		return
	}
	if p.rate == 0 {
		p.filled = now
	}
	p.rate = max(slowest, took)
	p.cuts++
}

// Rate is the records a second the shard is held to; 0 when it is not.
func (p *Pace) Rate() float64 { return p.rate }
