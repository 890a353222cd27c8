// Package pace decides how fast one shard is sent records, so that few are refused.
//
// What a shard takes is published: 1000 records and 1 MiB a second. A shard starts
// as a full bucket of one second of that, is filled at that rate, and is now and
// then lent a little more. Where a loan is taken, the shard takes more than is
// published (an emulator, or a service that has grown): each record taken beyond
// the bucket allows two more, so the pace doubles with every answer until it is
// free. At the published limit a loan costs a few refusals, and the next one comes
// later.
//
// When a shard refuses more than a tenth of what a window brought, others use it
// too, or it takes less: it is then held to what it took, and a little more with
// every window that goes well, in growing steps. When holding back does not help,
// it is given up for a while. A shard that refuses everything is left alone for a
// random while that doubles each time.
//
// Amounts are costs: seconds of a shard's published capacity. Limits:
// https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html
package pace

import (
	"math"
	"time"
)

const (
	recordsPerSecond = 1000.0
	bytesPerSecond   = 1 << 20

	depth   = 1.0   // seconds of the published rate that a shard takes at once
	burst   = 0.1   // seconds of the rate of a shard that is held to less or more
	quantum = 0.05  // seconds of the rate that go together, so that requests are not tiny
	loan    = 0.025 // beyond the bucket; a record is the least
	trips   = 1.5   // round trips of the rate, at least: a loan must outdo what is refilled meanwhile
	hint    = 0.1   // taken beyond the bucket, and the next loan comes soon
	proof   = 2.0   // taken beyond the bucket, and there is no limit to speak of
	surplus = 1.1   // times the published rate is not more than that

	firstLoan = 5 * time.Second // from one loan that was refused to the next
	lastLoan  = time.Minute
)

// mode is what is known of a shard.
type mode int

const (
	published mode = iota // it takes what every shard takes, or that is yet to be seen
	held                  // it took less than it was sent
	free                  // it takes all it is sent
)

// Pace is the state for one shard. The zero value is a shard that was never sent
// anything. Times come from the caller. Not safe for concurrent use.
type Pace struct {
	mode   mode
	rate   float64   // of a held shard, in published rates
	tokens float64   // may go now; below zero after a record larger than the bucket
	filled time.Time // when tokens were last added; zero: never, the bucket is full
	out    float64   // was taken and is not answered
	until  time.Time // nothing before

	loanAt   time.Time // no loan before
	loanWait time.Duration
	pardon   int // refusals that the last one may cost

	roundTrip time.Duration // of the last answer

	owed   float64   // accepted and not refilled, if it were a published shard
	shown  float64   // the most of it: beyond depth there is proof of more
	owedAt time.Time // when owed was last drained; zero before the first loan

	judge judge
}

// Free is the pace of something that is no single shard: it holds nothing back
// before much is refused.
func Free() Pace { return Pace{mode: free} }

// Cost is what a record of size bytes, key included, uses of its shard, in
// seconds of the published capacity.
func Cost(size int) float64 { return max(1/recordsPerSecond, float64(size)/bytesPerSecond) }

// Allow is how many records of the given cost may go now.
func (p *Pace) Allow(now time.Time, cost float64) int {
	if now.Before(p.until) {
		return 0
	}
	if p.mode == free {
		return math.MaxInt
	}
	p.fill(now, cost)
	need := p.need(cost)
	if p.tokens < need && p.lends() && !now.Before(p.loanAt) {
		need = min(cost, depth)
		p.lend(now, cost)
	}
	if p.tokens < need {
		return 0
	}
	return max(1, int(p.tokens/cost))
}

// Take takes a record of the given cost into a request, if it may go now.
func (p *Pace) Take(now time.Time, cost float64) bool {
	if now.Before(p.until) {
		return false
	}
	if p.mode == free {
		return true
	}
	if p.tokens < min(cost, depth) {
		return false
	}
	p.tokens -= cost
	p.out += cost
	return true
}

// Next is when Allow will be more than zero, if nothing else happens.
func (p *Pace) Next(now time.Time, cost float64) time.Time {
	next := now
	if missing := p.need(cost) - p.tokens; p.mode != free && missing > 0 {
		next = p.filled.Add(time.Duration(missing/p.speed()*float64(time.Second)) + time.Microsecond)
		if p.lends() && p.loanAt.Before(next) {
			next = p.loanAt
		}
	}
	if next.Before(p.until) {
		next = p.until
	}
	return next
}

// Rate is what the shard is held to, in published rates; 0 when it is not held.
func (p *Pace) Rate() float64 {
	if p.mode == held {
		return p.rate
	}
	return 0
}

// Lost notes that a record of the given cost has gone and will not be part of an
// Answer.
func (p *Pace) Lost(cost float64) { p.out = max(0, p.out-cost) }

// need is how many tokens must be there before a record of that cost goes. A full
// bucket takes any record, and is in debt after it.
func (p *Pace) need(cost float64) float64 {
	return min(depth, max(cost, p.speed()*quantum))
}

func (p *Pace) speed() float64 {
	if p.mode == held {
		return p.rate
	}
	return 1
}

// fill adds the tokens of the time that has passed. A bucket that is held is
// shallow, but deep enough for the record that waits.
func (p *Pace) fill(now time.Time, cost float64) {
	most := depth
	if p.mode == held {
		most = max(p.rate*burst, p.need(cost))
	}
	if p.filled.IsZero() {
		p.tokens = most
	} else {
		p.tokens = max(p.tokens, min(most, p.tokens+p.speed()*now.Sub(p.filled).Seconds()))
	}
	p.filled = now
}

// lends tells whether the shard may be tried beyond what is published. Not before
// the first answer: a loan must be larger than what is refilled until its own.
func (p *Pace) lends() bool { return p.mode == published && p.roundTrip > 0 }

// lend adds a little to a bucket that is empty: what is taken from now on, faster
// than it is refilled, is proof of more.
func (p *Pace) lend(now time.Time, cost float64) {
	p.owedAt, p.owed, p.shown = now, depth-max(0, p.tokens)-p.out, depth
	p.tokens = max(p.tokens+max(loan, trips*p.roundTrip.Seconds()), min(cost, depth))
	p.pardon = int(math.Ceil(p.tokens / cost))
	p.loanWait = min(max(firstLoan, 2*p.loanWait), lastLoan)
	p.loanAt = now.Add(p.loanWait)
}

// learn looks for proof that a shard takes more than is published. The shard took
// the records some time between sent and now: it is given until now to refill.
func (p *Pace) learn(sent, now time.Time, cost float64) {
	p.roundTrip = now.Sub(sent)
	if p.owedAt.IsZero() {
		return // nothing was lent
	}
	p.owed += cost - surplus*now.Sub(p.owedAt).Seconds()
	p.owedAt = now
	if more := p.owed - p.shown; more > 0 {
		p.tokens += 2 * more
		p.shown = p.owed
	}
	switch {
	case p.shown > depth+proof:
		*p = Pace{mode: free, until: p.until, judge: p.judge}
	case p.shown > depth+hint:
		p.loanWait = 0
	}
}
