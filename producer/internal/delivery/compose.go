package delivery

import (
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/pace"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/record"
)

// compose takes the records of the next request, or says when to look again:
// zero means when something changes. Called with the lock.
func (e *Engine) compose(now time.Time) (batch []record.Record, next time.Time) {
	if e.fatal != nil {
		return nil, time.Time{}
	}
	if now.Before(e.pause) {
		return nil, e.pause
	}
	if n := len(e.isolated); n > 0 {
		batch = e.isolated[n-1]
		e.isolated = e.isolated[:n-1]
		return batch, time.Time{}
	}
	most := min(e.o.MaxBytes, e.window.room())
	if most <= 0 {
		return nil, time.Time{}
	}
	ready, size, due, next := e.ready(now)
	if ready == 0 || (!due && !e.closed && ready < e.o.MaxRecords && size < most) {
		e.want, e.wantSize = e.o.MaxRecords-ready, most-size
		return nil, next
	}
	return e.take(now, most), time.Time{}
}

// ready counts what may go now. due says that something has waited long enough
// to go in a request that is not full; next is when that will be the case.
func (e *Engine) ready(now time.Time) (records, size int, due bool, next time.Time) {
	sooner := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	for _, l := range e.lanes {
		oldest := l.oldest()
		if oldest.IsZero() && len(l.retry) == 0 {
			continue
		}
		cost := l.cost(now)
		allowed := l.pace.Allow(now, cost)
		if allowed == 0 {
			sooner(l.pace.Next(now, cost))
			continue
		}
		if len(l.retry) > 0 {
			if at := l.retry.first().Due; at.After(now) {
				sooner(at)
			} else {
				due = true
				records++
				size += l.retry.first().Size
				allowed--
			}
		}
		if oldest.IsZero() || allowed == 0 {
			continue
		}
		if at := oldest.Add(e.o.Linger); at.After(now) && !e.closed {
			sooner(at)
		} else {
			due = true
			if l.fresh.empty() {
				l.finish(e.seal)
			}
		}
		due = due || allowed < l.fresh.len() // waiting would not fill the request
		records += min(allowed, l.fresh.len())
		size += l.fresh.size
	}
	return records, size, due, next
}

// take removes the records of the next request from the lanes, most bytes of them
// or a single record, a share of each in turn, what failed before first.
func (e *Engine) take(now time.Time, most int) []record.Record {
	batch := e.batch()
	share, size := max(1, e.o.MaxRecords/len(e.lanes)), 0
	for again := true; again && len(batch) < e.o.MaxRecords; {
		again = false
		for i := range e.lanes {
			l := e.lanes[(e.turn+i)%len(e.lanes)]
			room := min(share, e.o.MaxRecords-len(batch))
			taken := 0
			for taken < room {
				r := l.peek(now)
				if r == nil || len(batch) > 0 && size+r.Size > most || !l.pace.Take(now, pace.Cost(r.Size)) {
					break
				}
				size += r.Size
				batch = append(batch, l.pop(now))
				batch[len(batch)-1].Shard = l.shard
				taken++
			}
			again = again || taken > 0 && size < most
		}
	}
	e.turn++
	return batch
}

// cost is what the record that goes next, or the aggregate being filled, uses of
// its shard.
func (l *lane) cost(now time.Time) float64 {
	if r := l.peek(now); r != nil {
		return pace.Cost(r.Size)
	}
	return pace.Cost(l.openSize)
}

// peek is the record that goes next; nil when none may go now.
func (l *lane) peek(now time.Time) *record.Record {
	if len(l.retry) > 0 && !l.retry.first().Due.After(now) {
		return l.retry.first()
	}
	if l.fresh.empty() {
		return nil
	}
	return l.fresh.front()
}

// pop removes what peek returned. What stays begins its wait anew.
func (l *lane) pop(now time.Time) record.Record {
	if len(l.retry) > 0 && !l.retry.first().Due.After(now) {
		return l.retry.take()
	}
	r := l.fresh.pop()
	l.since = now
	return r
}
