package delivery

import (
	"container/heap"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/record"
)

// chunk is how many records a queue allocates at a time.
const chunk = 128

// queue is a first-in first-out queue of records, in chunks, so that it neither
// moves records nor keeps the memory of the longest it ever was.
type queue struct {
	chunks     []*[chunk]record.Record
	head, tail int // in the first and in the last chunk
	size       int // bytes of all records in it
	count      int
	spare      *[chunk]record.Record
}

func (q *queue) empty() bool { return q.count == 0 }
func (q *queue) len() int    { return q.count }

func (q *queue) push(r record.Record) {
	if len(q.chunks) == 0 || q.tail == chunk {
		next := q.spare
		if q.spare = nil; next == nil {
			next = new([chunk]record.Record)
		}
		q.chunks = append(q.chunks, next)
		q.tail = 0
	}
	q.chunks[len(q.chunks)-1][q.tail] = r
	q.tail++
	q.count++
	q.size += r.Size
}

func (q *queue) front() *record.Record { return &q.chunks[0][q.head] }

func (q *queue) pop() record.Record {
	first := q.chunks[0]
	r := first[q.head]
	first[q.head] = record.Record{}
	q.head++
	q.count--
	q.size -= r.Size
	if q.head == chunk || q.count == 0 {
		q.chunks = append(q.chunks[:0], q.chunks[1:]...)
		q.head, q.spare = 0, first
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
