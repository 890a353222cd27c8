package dynamodb

import (
	"sync"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/ordered"
)

// row is one stored item and its size. It is never changed.
type row struct {
	item attr.Item
	size int
}

func newRow(item attr.Item) *row {
	if item == nil {
		return nil
	}
	return &row{item: item, size: item.Size()}
}

// bytes is the row's size; 0 for none.
func (r *row) bytes() int {
	if r == nil {
		return 0
	}
	return r.size
}

func (r *row) content() attr.Item {
	if r == nil {
		return nil
	}
	return r.item
}

// table is one table. What describes it is guarded by the same lock as its rows.
type table struct {
	name     string
	arn      string
	id       string
	created  time.Time
	key      schema
	now      func() time.Time
	expiries expiries

	mu      sync.RWMutex
	rows    *ordered.Map[*row]
	size    int64
	indexes []*index
	replica *replica // nil: every read is consistent
	about   description
}

// lock takes the table for writing, rid of what has expired.
func (t *table) lock() {
	t.mu.Lock()
	if t.expiries.due(t.now()) {
		t.expire()
	}
}

// rlock takes the table for reading, rid of what has expired.
func (t *table) rlock() {
	if t.expiries.due(t.now()) {
		t.lock()
		t.mu.Unlock()
	}
	t.mu.RLock()
}

func (t *table) get(order string) *row {
	r, _ := t.rows.Get(order)
	return r
}

// replace puts a row in the place of another; either may be nil.
func (t *table) replace(order string, old, fresh *row) {
	if fresh == nil {
		if old != nil {
			t.rows.Delete(order)
		}
	} else {
		t.rows.Set(order, fresh)
		t.expiries.note(order, fresh.item)
	}
	if t.replica != nil {
		t.replica.pending = append(t.replica.pending, change{t.now(), order, old, fresh})
	}
	t.size += int64(fresh.bytes() - old.bytes())
	for _, x := range t.indexes {
		x.replace(order, old, fresh)
	}
}

// index returns the secondary index of that name.
func (t *table) index(name string) *index {
	for _, x := range t.indexes {
		if x.name == name {
			return x
		}
	}
	return nil
}
