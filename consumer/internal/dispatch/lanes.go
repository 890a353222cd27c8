package dispatch

import "math/bits"

// lanes finds the newest message of a key that is not done, by the hash of the
// key. It is a hash table whose chains go through the links of the messages
// themselves: nothing is allocated for a message, and nothing is left of it.
type lanes struct {
	buckets []ref
	size    int // of buckets, a power of two
}

// newLanes has a bucket a message, up to 64 KiB of them: each shard has its own.
func newLanes(messages int) lanes {
	return lanes{size: 1 << bits.Len(uint(min(max(messages, 2), 4096)-1))}
}

func (l *lanes) bucket(f ref) *ref {
	if l.buckets == nil {
		l.buckets = make([]ref, l.size)
	}
	return &l.buckets[f.link().lane&uint64(l.size-1)]
}

// add makes f the newest of its lane, and returns the one that was, if any.
func (l *lanes) add(f ref) (last ref, busy bool) {
	at, lane := l.bucket(f), f.link().lane
	for at.chunk != nil && at.link().lane != lane {
		at = &at.link().below
	}
	last = *at
	*at = f
	if last.chunk == nil {
		return ref{}, false
	}
	f.link().below, last.link().below = last.link().below, ref{}
	return last, true
}

// remove takes f out, which is the newest of its lane.
func (l *lanes) remove(f ref) {
	at := l.bucket(f)
	for at.chunk != nil && *at != f {
		at = &at.link().below
	}
	if at.chunk != nil {
		*at, f.link().below = f.link().below, ref{}
	}
}
