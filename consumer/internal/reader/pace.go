package reader

import (
	"math/rand/v2"
	"time"
)

// Pace bounds what is asked of one shard. Kinesis allows 5 calls and 2 MiB a
// second, for all its polling readers together.
type Pace struct {
	CallsPerSecond float64       // 0: no bound
	BytesPerSecond float64       // 0: no bound
	MaxWait        time.Duration // between calls that find nothing new
}

// idle is the least between calls that find nothing new, and for a while after
// throttling, under a Pace without a bound of calls.
const idle = 50 * time.Millisecond

// pacer finds when to make the next call on a shard: as early as the Pace
// allows while there is something to read, later and later while there is not.
type pacer struct {
	pace     Pace
	call     time.Time
	interval time.Duration // between calls now
	bytes    float64       // of the last answer
	penalty  float64       // 1 or more: how much slower than the Pace, after throttling
}

func newPacer(p Pace) *pacer { return &pacer{pace: p, interval: p.least(), penalty: 1} }

func (p Pace) least() time.Duration {
	if p.CallsPerSecond <= 0 {
		return 0
	}
	return time.Duration(float64(time.Second) / p.CallsPerSecond)
}

func (p *pacer) called(now time.Time) { p.call, p.bytes = now, 0 }

func (p *pacer) answered(records int, bytes, behindMS int64) {
	p.bytes = float64(bytes)
	p.penalty = max(1, p.penalty*0.9)
	least := p.pace.least()
	if records > 0 || behindMS > 0 {
		p.interval = least
		return
	}
	p.interval = max(least, min(p.pace.MaxWait, max(idle, p.interval*3/2)))
}

// slow notes that the shard was throttled: its other readers need more.
func (p *pacer) slow() { p.penalty = min(4, p.penalty*1.5) }

// next returns how long to wait from now on, with a tenth more or less so that
// shards do not march in step.
func (p *pacer) next(now time.Time) time.Duration {
	gap := float64(p.interval)
	if p.pace.BytesPerSecond > 0 {
		gap = max(gap, p.bytes/p.pace.BytesPerSecond*float64(time.Second))
	}
	if p.penalty > 1 {
		gap = max(gap, float64(idle))
	}
	gap *= p.penalty * (1 + rand.Float64()/10)
	return time.Duration(gap) - now.Sub(p.call)
}
