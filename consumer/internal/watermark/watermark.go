// Package watermark finds how far a shard is done when its messages are
// finished out of order: the highest position with nothing unfinished at or
// before it.
package watermark

import (
	"strings"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/position"
)

// roomy is how many messages a ring that is empty may have room for.
const roomy = 4096

// Tracker tracks one shard. The zero Tracker is ready; it is not safe for use
// by several goroutines. It needs 40 bytes for each message between the
// watermark and the newest one, up to twice that as its ring grows by doubling,
// and 64 more for a sequence number that Own made its own.
type Tracker struct {
	ring    []entry // of a power of two
	low     uint64  // the first number that is not done
	next    uint64  // the number the next Add returns
	mark    position.Position
	version uint64
}

type entry struct {
	position position.Position
	arrived  int64
	done     bool
}

// Add notes a message, in the order of the shard, and returns its number: one
// more than that of the message before. arrived is kept for Oldest; its unit is
// the caller's. The strings in p must stay good until Done or Own.
func (t *Tracker) Add(p position.Position, arrived int64) uint64 {
	if t.next-t.low == uint64(len(t.ring)) {
		t.grow()
	}
	n := t.next
	t.ring[n&uint64(len(t.ring)-1)] = entry{position: p, arrived: arrived}
	t.next++
	return n
}

// Done notes that message n is finished. To say so twice is the same as once.
func (t *Tracker) Done(n uint64) {
	if n < t.low || n >= t.next {
		return
	}
	mask := uint64(len(t.ring) - 1)
	t.ring[n&mask].done = true
	moved := false
	for t.low < t.next && t.ring[t.low&mask].done {
		t.mark = t.ring[t.low&mask].position
		t.ring[t.low&mask] = entry{}
		t.low++
		moved = true
	}
	if moved {
		t.version++
	}
	if t.low == t.next && len(t.ring) > roomy {
		t.ring = nil
	}
}

// Pass notes a position that needs no work, after everything added before. It
// takes no room of its own behind a message that is done.
func (t *Tracker) Pass(p position.Position, arrived int64) {
	if t.low == t.next {
		t.mark = p
		t.version++
		return
	}
	p.Sequence = strings.Clone(p.Sequence)
	if last := &t.ring[(t.next-1)&uint64(len(t.ring)-1)]; last.done {
		last.position = p
		return
	}
	t.Done(t.Add(p, arrived))
}

// Own copies the strings of the messages with the numbers from up to, not
// including, to, as far as they are still needed: what they are part of may go.
func (t *Tracker) Own(from, to uint64) {
	var before, own string
	for n := max(from, t.low); n < to; n++ {
		sequence := &t.ring[n&uint64(len(t.ring)-1)].position.Sequence
		if *sequence != before { // a record's user records have one in common
			before, own = *sequence, strings.Clone(*sequence)
		}
		*sequence = own
	}
}

// Mark returns the position up to which, and including which, everything is
// done; zero while nothing is. The strings in it are its own.
func (t *Tracker) Mark() position.Position {
	t.mark.Sequence = strings.Clone(t.mark.Sequence)
	return t.mark
}

// Moves counts how often Mark has changed.
func (t *Tracker) Moves() uint64 { return t.version }

// Unfinished returns how many messages lie behind the watermark, the finished
// ones among them included: what a restart would read again.
func (t *Tracker) Unfinished() int { return int(t.next - t.low) }

// Oldest returns the arrival of the first message that is not done.
func (t *Tracker) Oldest() (arrived int64, ok bool) {
	if t.low == t.next {
		return 0, false
	}
	return t.ring[t.low&uint64(len(t.ring)-1)].arrived, true
}

func (t *Tracker) grow() {
	bigger := make([]entry, max(64, 2*len(t.ring)))
	for n := t.low; n < t.next; n++ {
		bigger[n&uint64(len(bigger)-1)] = t.ring[n&uint64(len(t.ring)-1)]
	}
	t.ring = bigger
}
