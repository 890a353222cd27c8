package keeper

import (
	"container/heap"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/watch"
)

// timer runs a function once, at its time or a little after.
type timer struct {
	at  time.Duration
	seq uint64 // equal times run in the order they were set
	run func()
	pos int // in the heap; -1: not set
}

// timers is a heap by time. Its clock is the time given to Handle.
type timers struct {
	heap timerHeap
	seq  uint64
}

// set plans run for at, in place of what t was planned for before.
func (ts *timers) set(t *timer, at time.Duration, run func()) {
	ts.stop(t)
	ts.seq++
	t.at, t.seq, t.run = at, ts.seq, run
	heap.Push(&ts.heap, t)
}

// after plans run for at on a timer of its own.
func (ts *timers) after(at time.Duration, run func()) { ts.set(newTimer(), at, run) }

func newTimer() *timer { return &timer{pos: -1} }

func (t *timer) pending() bool { return t.pos >= 0 }

func (ts *timers) stop(t *timer) {
	if t.pending() {
		heap.Remove(&ts.heap, t.pos)
	}
}

// due takes the next timer whose time has come; nil: none.
func (ts *timers) due(now time.Duration) *timer {
	if len(ts.heap) == 0 || ts.heap[0].at > now {
		return nil
	}
	return heap.Pop(&ts.heap).(*timer)
}

func (ts *timers) next() time.Duration {
	if len(ts.heap) == 0 {
		return watch.Never
	}
	return ts.heap[0].at
}

type timerHeap []*timer

func (h timerHeap) Len() int { return len(h) }
func (h timerHeap) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].seq < h[j].seq
}
func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].pos, h[j].pos = i, j
}
func (h *timerHeap) Push(x any) {
	t := x.(*timer)
	t.pos = len(*h)
	*h = append(*h, t)
}
func (h *timerHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.pos = -1
	return t
}
