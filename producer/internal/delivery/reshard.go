package delivery

import (
	"context"
	"slices"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/record"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/shards"
)

const (
	refreshTimeout = 5 * time.Second
	refreshPause   = time.Second // between two readings of the shards
)

// placed is a record that was stored on another shard than foreseen.
type placed struct {
	record record.Record
	shard  string
}

// lands tells whether a stored record is settled. One that went to another
// shard than foreseen when it was sent shows that the stream was resharded;
// when it carries several messages, some may be outside of that shard's range,
// where consumers drop them, so it waits until the shards are known.
func (e *Engine) lands(r *record.Record, shard string, lane int) bool {
	foreseen := r.Shard
	if foreseen == "" || foreseen == shard {
		return true
	}
	if r.Many == nil {
		e.stale = e.stale || e.lanes[lane].shard != shard
		return true
	}
	e.stale = true
	e.misplaced = append(e.misplaced, placed{*r, shard})
	return false
}

// refresh reads the shards and moves what waits into the new lanes. It runs
// beside the requests, one at a time.
func (e *Engine) refresh(ctx context.Context) {
	reading, cancel := context.WithTimeout(ctx, refreshTimeout)
	fresh, err := e.o.Refresh(reading)
	cancel()
	e.mu.Lock()
	defer e.mu.Unlock()
	if err != nil {
		e.o.Log.Warn().Err(err).Msg("shards not read; trying again")
	} else {
		if !fresh.Same(e.shards) {
			e.o.Log.Info().Int("shards", fresh.Len()).Msg("stream was resharded")
		}
		e.stale = false
		e.relane(fresh)
		e.resettle()
		if e.stale {
			e.o.Log.Warn().Int("records", len(e.misplaced)).Msg("shards not listed yet; trying again")
		}
	}
	now := time.Now()
	e.expire(now)
	e.reading, e.refreshAt = false, now.Add(refreshPause)
	e.o.Account.Buffer(e.buffered)
	e.space.Broadcast()
	e.signal()
}

// relane moves everything that waits into the lanes of a new map.
func (e *Engine) relane(fresh *shards.Map) {
	before := e.lanes
	e.shards, e.lanes = fresh, newLanes(fresh, before)
	for _, old := range before {
		for !old.fresh.empty() {
			e.put(old.fresh.pop(), old.since)
		}
		for _, r := range old.retry {
			e.put(r, old.since)
		}
		for _, m := range old.open {
			if e.o.Ordered && !e.gate.Pass(m) {
				continue // an earlier one of its key has just been sealed
			}
			e.place(m, shards.HashOf(m.Key), func() time.Time { return old.since })
		}
	}
}

// put adds a record to the lanes of the current map. An aggregate whose
// messages now belong to several shards is taken apart.
func (e *Engine) put(r record.Record, since time.Time) {
	for _, part := range e.split(r) {
		l := e.lanes[e.shards.Find(part.Hash)]
		if part.Attempts > 0 {
			l.retry.add(part)
			continue
		}
		if l.oldest().IsZero() {
			l.since = since
		}
		l.fresh.push(part)
	}
}

// split divides a record's messages by shard, in their order.
func (e *Engine) split(r record.Record) []record.Record {
	if r.Many == nil {
		return []record.Record{r}
	}
	var parts []record.Record
	byShard := map[int]int{}
	for _, m := range r.Many {
		hash := shards.HashOf(m.Key)
		shard := e.shards.Find(hash)
		i, known := byShard[shard]
		if !known {
			i = len(parts)
			byShard[shard] = i
			part := r
			part.Hash, part.Many = hash, nil
			parts = append(parts, part)
		}
		parts[i].Many = append(parts[i].Many, m)
	}
	for i := range parts {
		parts[i] = repack(parts[i])
	}
	return parts
}

// resettle acknowledges the messages of misplaced records that are in the range
// of the shard they were stored on, and sends the others again. A shard that was
// not listed is younger than the list: its records wait for the next one.
func (e *Engine) resettle() {
	settled := e.misplaced
	e.misplaced = nil
	for _, p := range settled {
		stored, known := e.shards.Range(p.shard)
		if !known {
			e.stale, e.misplaced = true, append(e.misplaced, p)
			continue
		}
		kept, lost := p.record, p.record
		kept.Many, lost.Many = nil, nil
		for _, m := range p.record.Many {
			if stored.Contains(shards.HashOf(m.Key)) {
				kept.Many = append(kept.Many, m)
			} else {
				lost.Many = append(lost.Many, m)
			}
		}
		if len(kept.Many) > 0 {
			n := int64(len(kept.Many))
			size, cost := kept.Bytes()
			e.o.Account.Acknowledge(n, size, n*int64(kept.Unsure))
			e.release(&kept, cost)
		}
		if len(lost.Many) > 0 {
			e.o.Account.Resend(int64(len(lost.Many)))
			lost.Hash, lost.Due = shards.HashOf(lost.Many[0].Key), time.Time{}
			e.put(lost, time.Time{})
		}
	}
}

// expire gives up the misplaced records that have waited for the shards too long.
func (e *Engine) expire(now time.Time) {
	e.misplaced = slices.DeleteFunc(e.misplaced, func(p placed) bool {
		if e.o.RetryTimeout == 0 || now.Sub(p.record.First) < e.o.RetryTimeout {
			return false
		}
		p.record.Unsure++ // it is stored, perhaps where it is not read
		e.giveUp(&p.record, ReasonMisplaced)
		return true
	})
}

// repack makes a record of its messages: a single one stands for itself.
func repack(r record.Record) record.Record {
	if len(r.Many) == 1 {
		r.One, r.Many = r.Many[0], nil
		r.Size = r.One.Size()
	}
	return r
}
