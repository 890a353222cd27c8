package kinesis

// bucket is a token bucket that holds one second of its rate. The zero value is
// full. It needs a lock around it.
type bucket struct {
	tokens  float64
	last    int64 // milliseconds; 0 before the first use
	blocked int64 // nothing is given before this time
}

// has tells whether n tokens are there at the given rate a second. A full bucket
// gives more than it holds, once, and is in debt after it.
func (b *bucket) has(n float64, rate int, nowMS int64) bool {
	b.fill(rate, nowMS)
	return nowMS >= b.blocked && (b.tokens >= n || b.tokens >= float64(rate))
}

// take takes n tokens that has found there.
func (b *bucket) take(n float64) { b.tokens -= n }

// positive tells whether there is anything left, for costs known only afterward.
func (b *bucket) positive(rate int, nowMS int64) bool {
	b.fill(rate, nowMS)
	return nowMS >= b.blocked && b.tokens > 0
}

func (b *bucket) fill(rate int, nowMS int64) {
	full := float64(rate)
	if b.last == 0 {
		b.tokens, b.last = full, nowMS
		return
	}
	if nowMS > b.last {
		b.tokens = min(full, b.tokens+full*float64(nowMS-b.last)/1000)
		b.last = nowMS
	}
}
