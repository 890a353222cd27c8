package delivery

import (
	"math"
	"time"
)

const (
	leastWindow = 64 << 10 // bytes in flight that are always allowed
	quarter     = 4        // see settle
	little      = 32       // that part of a request whose answer was neither soon nor late
)

// window bounds the bytes of all requests in flight, once a request got no answer
// in time. A way that is too slow for them carries a part of each before their
// time is over, and none to its end, for ever. Not safe for concurrent use.
type window struct {
	limit  int // bytes; 0: no bound
	flying int
	cut    time.Time // what left before was too much already
}

// room is how many bytes may be sent now: none, or enough for a request of some size.
func (w *window) room() int {
	switch left := w.limit - w.flying; {
	case w.limit == 0:
		return math.MaxInt
	case w.flying > 0 && left < w.limit/quarter:
		return 0
	default:
		return left
	}
}

// settle notes that a request has ended that was sent with so many bytes. Without
// an answer in time, a quarter of what was in flight is the bound; while answers
// come in a quarter of that time, it grows by a quarter of their requests, and a
// little in half of it.
func (w *window) settle(bytes int, sent, now time.Time, patience time.Duration) {
	switch took := now.Sub(sent); {
	case took >= patience && !sent.Before(w.cut):
		if w.limit == 0 {
			w.limit = math.MaxInt
		}
		w.limit = max(leastWindow, min(w.flying, w.limit)/quarter)
		w.cut = now
	case w.limit > 0 && took < patience/quarter:
		w.limit += min(bytes/quarter, math.MaxInt-w.limit)
	case w.limit > 0 && took < patience/2:
		w.limit += min(bytes/little, math.MaxInt-w.limit)
	}
	w.flying -= bytes
}
