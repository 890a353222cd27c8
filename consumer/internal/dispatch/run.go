package dispatch

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/handler"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/position"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/watermark"
)

// ErrStopped is the error of an Admit after Stop.
var ErrStopped = errors.New("the grant is stopped")

// Run is the messages of one grant. Admit and Pass are for one goroutine, the
// other methods for any.
//
// What a message takes, and until when: room in the queue and in its shard's
// until it is done; the memory it came in until the last message of its Admit is
// done, which release tells; and its position until the watermark has passed it.
type Run struct {
	d     *Dispatcher
	ctx   context.Context
	slots *semaphore.Weighted
	idle  chan struct{}

	// guarded by d.mu
	tracker    watermark.Tracker
	lanes      lanes // of the messages that are not done
	chunks     map[*chunk]struct{}
	ready      fifo
	readySince time.Time
	runnable   bool // is in d.runnable
	stopped    bool
	finishing  bool
	closed     bool
	batches    int           // in process
	room       chan struct{} // closed when the watermark moves, for an Admit that waits; nil: none does
}

// chunk is some messages that were admitted together. Chunks are used again:
// who holds a ref to a message that is done must not look at it.
type chunk struct {
	messages []handler.Message
	links    []link // for each
	base     uint64 // the tracker's number of the first
	left     int
	release  func()
}

// link is a message's place among those of its key.
type link struct {
	lane  uint64 // hash of the key
	next  ref    // the next of the same lane
	below ref    // the next in lanes
}

// ref names a message; the zero ref names none.
type ref struct {
	chunk *chunk
	place int
}

func (f ref) message() *handler.Message { return &f.chunk.messages[f.place] }
func (f ref) link() *link               { return &f.chunk.links[f.place] }

// Admit takes messages, in the order of the shard, as soon as there is room
// for them. release, if there is one, is called once, when the last of them
// is done or dropped; Admit keeps messages until then, and nothing of them
// longer. The error is that of a Run that was stopped, or of ctx; some messages
// may have been taken then.
func (r *Run) Admit(ctx context.Context, messages []handler.Message, release func()) error {
	hold := newHold(release)
	defer hold.drop()
	for len(messages) > 0 {
		n := min(len(messages), chunkSize)
		if err := r.acquire(ctx, n); err != nil {
			return err
		}
		hold.add()
		if !r.add(messages[:n:n], hold.drop) {
			r.d.queue.Release(int64(n))
			r.slots.Release(int64(n))
			hold.drop()
			return ErrStopped
		}
		messages = messages[n:]
	}
	return nil
}

func (r *Run) acquire(ctx context.Context, n int) error {
	if err := r.near(ctx, n); err != nil { // first: it may take long, and others need the queue
		return fmt.Errorf("wait for the shard's first unfinished message: %w", err)
	}
	if err := r.slots.Acquire(ctx, int64(n)); err != nil {
		return fmt.Errorf("wait for room in the shard's queue: %w", err)
	}
	if err := r.d.queue.Acquire(ctx, int64(n)); err != nil {
		r.slots.Release(int64(n))
		return fmt.Errorf("wait for room in the queue: %w", err)
	}
	return nil
}

// near waits until n more messages are not too many after the first unfinished
// one: each is kept in mind until the watermark has passed it, done or not.
func (r *Run) near(ctx context.Context, n int) error {
	for {
		r.d.mu.Lock()
		if r.stopped || r.tracker.Unfinished()+n <= r.d.unfinished() {
			r.d.mu.Unlock()
			return nil
		}
		room := make(chan struct{})
		r.room = room
		r.d.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// makeRoom wakes an Admit that waits for the watermark. The lock is held.
func (r *Run) makeRoom() {
	if r.room != nil {
		close(r.room)
		r.room = nil
	}
}

func (r *Run) add(messages []handler.Message, release func()) bool {
	c := r.d.chunk(len(messages))
	c.messages, c.left, c.release = messages, len(messages), release
	if !r.d.o.Unordered {
		for i := range messages { // before there is a lock: keys that share a hash are merely kept in order together
			c.links[i].lane = maphash.String(r.d.seed, messages[i].PartitionKey)
		}
	}
	r.d.mu.Lock()
	defer r.d.mu.Unlock()
	if r.stopped {
		return false
	}
	r.chunks[c] = struct{}{}
	for i := range messages {
		m := &messages[i]
		n := r.tracker.Add(position.Position{Sequence: m.Sequence, Sub: m.SubSequence}, m.ArrivedAt.UnixMilli())
		if i == 0 {
			c.base = n
		}
		r.enqueue(ref{chunk: c, place: i})
	}
	r.d.schedule(r.d.handOff)
	return true
}

// enqueue makes f ready, or puts it behind the newest message of its key. The
// lock is held.
func (r *Run) enqueue(f ref) {
	if !r.d.o.Unordered {
		last, busy := r.lanes.add(f)
		if busy {
			last.link().next = f
			return
		}
	}
	r.makeReady(f)
}

func (r *Run) makeReady(f ref) {
	if r.ready.len() == 0 {
		r.readySince = time.Now()
	}
	r.ready.push(f)
	if !r.runnable {
		r.runnable = true
		r.d.runnable = append(r.d.runnable, r)
	}
}

// done notes that f is finished, and makes the next of its key ready. The lock
// is held.
func (r *Run) done(f ref) {
	c := f.chunk
	if !r.d.o.Unordered {
		if l := f.link(); l.next.chunk != nil {
			r.makeReady(l.next)
		} else {
			r.lanes.remove(f) // it is the newest: else it had a next
		}
	}
	r.tracker.Done(c.base + uint64(f.place))
	c.left--
	if c.left == 0 {
		delete(r.chunks, c)
		r.tracker.Own(c.base, c.base+uint64(len(c.messages)))
		c.release()
		clear(c.links)
		*c = chunk{links: c.links[:0]}
		r.d.chunkPool.Put(c)
	}
}

// chunk returns a chunk with room for the links of n messages.
func (d *Dispatcher) chunk(n int) *chunk {
	c, _ := d.chunkPool.Get().(*chunk)
	if c == nil {
		c = &chunk{}
	}
	if cap(c.links) < n {
		c.links = make([]link, 0, chunkSize)
	}
	c.links = c.links[:n]
	return c
}

// Pass notes a position that needs no work, after everything admitted before.
func (r *Run) Pass(p position.Position, arrived time.Time) {
	r.d.mu.Lock()
	if r.stopped {
		r.d.mu.Unlock()
		return
	}
	moves := r.tracker.Moves()
	r.tracker.Pass(p, arrived.UnixMilli())
	moved := r.tracker.Moves() != moves
	r.d.mu.Unlock()
	if moved && r.d.o.Moved != nil {
		r.d.o.Moved()
	}
}

// Stop drops what no handler has yet. Idle tells when the handlers have
// finished the rest.
func (r *Run) Stop() {
	r.d.mu.Lock()
	defer r.d.mu.Unlock()
	r.stopped = true
	r.makeRoom()
	r.settle()
}

// Finish says that nothing will be admitted any more. Idle tells when
// everything is done.
func (r *Run) Finish() {
	r.d.mu.Lock()
	defer r.d.mu.Unlock()
	r.finishing = true
	r.settle()
	r.d.schedule(r.d.handOff)
}

// Idle is closed after Stop, when no handler has a message of r, and after
// Finish, when all are done. The watermark does not move after that.
func (r *Run) Idle() <-chan struct{} { return r.idle }

// settle closes idle if it is time, and lets go of what was dropped. The lock
// is held.
func (r *Run) settle() {
	if r.closed || r.batches > 0 || (!r.stopped && (!r.finishing || len(r.chunks) > 0)) {
		return
	}
	r.closed = true
	r.d.open--
	dropped := 0
	for c := range r.chunks {
		dropped += c.left
		c.release()
	}
	r.chunks, r.lanes.buckets, r.ready = nil, nil, fifo{}
	r.d.queue.Release(int64(dropped))
	r.slots.Release(int64(dropped))
	close(r.idle)
}

// State is where a Run stands.
type State struct {
	Mark       position.Position // everything up to and including it is done
	Moves      uint64            // how often Mark has changed
	Oldest     time.Time         // arrival of the first message that is not done; zero if there is none
	Unfinished int               // messages from there on
}

// State returns where r stands.
func (r *Run) State() State {
	r.d.mu.Lock()
	defer r.d.mu.Unlock()
	s := State{Mark: r.tracker.Mark(), Moves: r.tracker.Moves(), Unfinished: r.tracker.Unfinished()}
	if ms, ok := r.tracker.Oldest(); ok {
		s.Oldest = time.UnixMilli(ms)
	}
	return s
}
