package dynamodb

import (
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/ordered"
)

// replica is a table as it was a while ago: what reads see that do not ask for
// consistency. The lock of the table guards it.
type replica struct {
	lag     time.Duration
	rows    *ordered.Map[*row]
	indexes map[*index]*index // by the table's own; filled when they are read
	pending []change          // in the order of time
}

// change is one write that the replica has yet to see.
type change struct {
	at         time.Time
	order      string
	old, fresh *row
}

// newReplica returns the replica of an empty table, nil for no lag.
func newReplica(lag time.Duration) *replica {
	if lag <= 0 {
		return nil
	}
	return &replica{lag: lag, rows: ordered.New[*row](), indexes: map[*index]*index{}}
}

// advance applies the writes that are as old as the lag.
func (p *replica) advance(now time.Time) {
	done := 0
	for _, c := range p.pending {
		if now.Sub(c.at) < p.lag {
			break
		}
		if c.fresh == nil {
			p.rows.Delete(c.order)
		} else {
			p.rows.Set(c.order, c.fresh)
		}
		for _, x := range p.indexes {
			x.replace(c.order, c.old, c.fresh)
		}
		done++
	}
	p.pending = p.pending[done:]
}

// of is the replica of an index.
func (p *replica) of(x *index) *ordered.Map[*row] {
	lagging := p.indexes[x]
	if lagging == nil {
		twin := *x
		twin.rows = ordered.New[*row]()
		lagging = &twin
		for at := p.rows.First(""); at != nil; at = at.Next() {
			if x.check(at.Value.item) == nil {
				lagging.replace(at.Key, nil, at.Value)
			}
		}
		p.indexes[x] = lagging
	}
	return lagging.rows
}

// reading takes the table for a read; what it returns gives it back.
func (t *table) reading(consistent bool) (release func()) {
	if consistent || t.replica == nil {
		t.rlock()
		return t.mu.RUnlock
	}
	t.lock()
	t.replica.advance(t.now())
	return t.mu.Unlock
}

// see is the row that a read finds; the table is taken.
func (t *table) see(order string, consistent bool) *row {
	if consistent || t.replica == nil {
		return t.get(order)
	}
	r, _ := t.replica.rows.Get(order)
	return r
}
