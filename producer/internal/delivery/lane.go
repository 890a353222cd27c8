package delivery

import (
	"container/heap"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/aggregate"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/message"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/pace"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/record"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/shards"
)

// lane holds what waits for one shard.
type lane struct {
	shard string
	fresh queue     // never sent
	since time.Time // when the oldest of fresh came in
	retry dueHeap   // sent and failed
	pace  pace.Pace

	open     []message.Message // the aggregate being filled
	openHash shards.Hash
	openSize int
	openFrom time.Time
}

// newLanes makes the lanes of a shard map; shards known before keep their pace.
func newLanes(m *shards.Map, before []*lane) []*lane {
	lanes := make([]*lane, m.Len())
	for i := range lanes {
		lanes[i] = &lane{shard: m.ID(i)}
		for _, old := range before {
			if old.shard == lanes[i].shard {
				lanes[i].pace = old.pace
			}
		}
	}
	return lanes
}

// fits tells whether m may be added to the open aggregate.
func (l *lane) fits(m message.Message, limit int) bool {
	return len(l.open) == 0 || l.openSize+aggregate.Cost(m) <= limit
}

// pack adds m to the open aggregate.
func (l *lane) pack(m message.Message, hash shards.Hash, now func() time.Time) {
	if len(l.open) == 0 {
		l.openHash, l.openSize, l.openFrom = hash, aggregate.Overhead+len(m.Key), now()
	}
	l.open = append(l.open, m)
	l.openSize += aggregate.Cost(m)
}

// finish moves the open aggregate to fresh. A single message is sent as it is.
func (l *lane) finish(sealed func([]message.Message)) {
	if len(l.open) == 0 {
		return
	}
	if l.fresh.empty() {
		l.since = l.openFrom
	}
	if len(l.open) == 1 {
		l.fresh.push(record.Of(l.open[0], l.openHash))
	} else {
		l.fresh.push(record.Record{Hash: l.openHash, Many: l.open, Size: l.openSize})
	}
	sealed(l.open)
	l.open = nil
}

// oldest is when the oldest unsent message came in; zero when there is none.
func (l *lane) oldest() time.Time {
	if !l.fresh.empty() {
		return l.since
	}
	if len(l.open) > 0 {
		return l.openFrom
	}
	return time.Time{}
}

// queue is a first-in first-out queue of records.
type queue struct {
	list []record.Record
	head int
	size int // bytes of all records in it
}

func (q *queue) empty() bool { return q.head == len(q.list) }
func (q *queue) len() int    { return len(q.list) - q.head }

func (q *queue) push(r record.Record) {
	if q.head > 0 && len(q.list) == cap(q.list) {
		n := copy(q.list, q.list[q.head:])
		clear(q.list[n:])
		q.list, q.head = q.list[:n], 0
	}
	q.list = append(q.list, r)
	q.size += r.Size
}

func (q *queue) front() *record.Record { return &q.list[q.head] }

func (q *queue) pop() record.Record {
	r := q.list[q.head]
	q.list[q.head] = record.Record{}
	q.head++
	q.size -= r.Size
	if q.head == len(q.list) {
		q.list, q.head = q.list[:0], 0
	}
	return r
}

// dueHeap is a heap of records by the time they may be sent again.
type dueHeap []record.Record

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].Due.Before(h[j].Due) }
func (h dueHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *dueHeap) Push(x any) { *h = append(*h, x.(record.Record)) }

// Pop implements heap.Interface.
func (h *dueHeap) Pop() any {
	old := *h
	r := old[len(old)-1]
	old[len(old)-1] = record.Record{}
	*h = old[:len(old)-1]
	return r
}

func (h *dueHeap) add(r record.Record)  { heap.Push(h, r) }
func (h *dueHeap) take() record.Record  { return heap.Pop(h).(record.Record) }
func (h dueHeap) first() *record.Record { return &h[0] }
