package dispatch

import "sync/atomic"

// fifo is a queue of refs that reuses its memory.
type fifo struct {
	refs []ref
	head int
}

func (q *fifo) len() int   { return len(q.refs) - q.head }
func (q *fifo) peek() ref  { return q.refs[q.head] }
func (q *fifo) push(f ref) { q.refs = append(q.refs, f) }

func (q *fifo) pop() ref {
	f := q.refs[q.head]
	q.refs[q.head] = ref{}
	q.head++
	switch {
	case q.head == len(q.refs):
		q.refs, q.head = q.refs[:0], 0
	case q.head >= 1024 && q.head*2 >= len(q.refs):
		n := copy(q.refs, q.refs[q.head:])
		clear(q.refs[n:])
		q.refs, q.head = q.refs[:n], 0
	}
	return f
}

// hold calls a function when the last of its holders lets go; it begins with
// one.
type hold struct {
	holders atomic.Int64
	release func()
}

func newHold(release func()) *hold {
	h := &hold{release: release}
	h.holders.Store(1)
	return h
}

func (h *hold) add() { h.holders.Add(1) }

func (h *hold) drop() {
	if h.holders.Add(-1) == 0 && h.release != nil {
		h.release()
	}
}
