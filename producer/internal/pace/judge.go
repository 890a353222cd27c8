package pace

import (
	"math"
	"time"
)

const (
	window    = 250 * time.Millisecond
	early     = 50 * time.Millisecond // a window with many refusals ends then
	longest   = 2 * time.Second       // a window with few records
	many      = 50                    // records that make a window
	few       = 10                    // refusals slow nothing
	tolerated = 0.10                  // share of refused records that slows nothing
	tight     = 0.02                  // the same, of a shard that is held already

	below     = 0.95            // of what a shard took, it is held to
	deepest   = 0.5             // of the rate before, at least
	slowest   = 0.004           // of the published rate
	step      = 0.01            // more after the first good window
	steps     = 5.0             // good windows that double the step
	greatest  = 0.25            // step
	calm      = 40              // good windows in a row, and the shard is no longer held
	useless   = 2 * time.Second // of cuts that should have helped
	unchanged = 0.6             // of the share refused before the cuts, is no help

	firstStubborn = 10 * time.Second // without cuts, after those that did not help; twice as long each time
	lastStubborn  = time.Minute

	firstPause = 50 * time.Millisecond
	maxPause   = 5 * time.Second
)

// Tally is what one answer brought for one shard.
type Tally struct {
	Accepted, Refused int
	all, cost, firm   float64 // of all records, of the accepted, of them with depth at most for each
}

// Accept adds a record that was taken.
func (t *Tally) Accept(size int) {
	c := Cost(size)
	t.Accepted++
	t.all += c
	t.cost += c
	t.firm += min(c, depth)
}

// Refuse adds a record that was refused for its shard's limit.
func (t *Tally) Refuse(size int) {
	t.Refused++
	t.all += Cost(size)
}

// judge collects what a window brought.
type judge struct {
	begin   time.Time
	tally   Tally
	good    int // good windows in a row
	strikes int // answers in a row without anything accepted

	lastCut     time.Time     // what was sent before says nothing about the rate since
	cuts        int           // in a row, without a good window between
	shareBefore float64       // refused before the first of them
	firstCut    time.Time     // when that was
	stubborn    time.Time     // no cuts before
	patience    time.Duration // from the cuts that did not help last to the next
}

// Answer notes what a request brought whose records were taken at the time sent.
// jitter is uniform in [0, 1).
func (p *Pace) Answer(sent, now time.Time, t Tally, jitter float64) {
	j := &p.judge
	p.Lost(t.all)
	switch {
	case t.Accepted > 0:
		j.strikes = 0
	case t.Refused > 0:
		limit := min(maxPause, firstPause<<min(j.strikes, 16))
		p.until = now.Add(time.Duration(jitter * float64(limit)))
		j.strikes++
	}
	if sent.Before(j.lastCut) {
		return
	}
	if p.mode == published {
		pardoned := min(t.Refused, p.pardon)
		p.pardon -= pardoned
		t.Refused -= pardoned
		p.learn(sent, now, t.firm)
	}
	p.weigh(now, t)
}

// weigh adds an answer to the window, and judges it when it is full.
func (p *Pace) weigh(now time.Time, t Tally) {
	j := &p.judge
	if j.begin.IsZero() {
		j.begin = now
	}
	j.tally.Accepted += t.Accepted
	j.tally.Refused += t.Refused
	j.tally.cost += t.cost
	elapsed, records := now.Sub(j.begin), j.tally.Accepted+j.tally.Refused
	enough := records >= many || elapsed >= longest
	if elapsed >= window && enough || elapsed >= early && j.tally.Refused >= many {
		p.close(now, elapsed)
	}
}

// close judges a window.
func (p *Pace) close(now time.Time, elapsed time.Duration) {
	j := &p.judge
	share := float64(j.tally.Refused) / float64(max(1, j.tally.Accepted+j.tally.Refused))
	limit := tolerated
	if p.mode == held {
		limit = tight
	}
	if share > limit && j.tally.Refused >= few {
		j.good = 0
		p.cut(now, share, j.tally.cost/elapsed.Seconds())
	} else if p.mode == held {
		p.grow(now)
	}
	j.begin, j.tally = now, Tally{}
}

// grow gives a held shard a little more, in steps that grow. Back at the published
// rate, or after a calm time, it is treated as any other.
func (p *Pace) grow(now time.Time) {
	j, before := &p.judge, p.rate
	p.rate *= 1 + growth(j.good)
	j.good++
	j.cuts = 0
	if before < 1 && p.rate >= 1 || j.good >= calm {
		*p = Pace{tokens: p.tokens, filled: p.filled, out: p.out, until: p.until, roundTrip: p.roundTrip,
			loanAt: now.Add(p.loanWait), loanWait: p.loanWait, judge: judge{stubborn: j.stubborn}}
	}
}

// cut holds the shard to a little less than it took. When that was done for a
// while and as much is refused as before, it is not this producer's rate that is
// refused: others use the shard up. Giving way alone would only starve this one,
// so it does not for a while.
func (p *Pace) cut(now time.Time, share, took float64) {
	j := &p.judge
	switch {
	case now.Before(j.stubborn):
		return
	case j.cuts == 0:
		j.shareBefore, j.firstCut = share, now
	case now.Sub(j.firstCut) >= useless && share > unchanged*j.shareBefore:
		*p = Pace{mode: free, until: p.until, judge: *j}
		p.judge.cuts, p.judge.patience = 0, min(max(firstStubborn, 2*j.patience), lastStubborn)
		p.judge.stubborn = now.Add(p.judge.patience)
		return
	}
	if p.mode != free {
		took = max(deepest*p.speed(), min(took, p.speed()))
	} else {
		p.filled = now
	}
	p.mode, p.rate, p.tokens = held, max(slowest, below*took), min(p.tokens, 0)
	j.lastCut = now
	j.cuts++
}

// growth is the step after so many good windows.
func growth(good int) float64 {
	return min(greatest, step*math.Pow(2, float64(good)/steps))
}
