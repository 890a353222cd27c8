// Package dispatch hands messages to the handler: in order within a partition
// key, side by side otherwise, a bounded number at a time for the whole task,
// fairly across its shards, and nothing once a shard's grant is over.
package dispatch

import (
	"context"
	"hash/maphash"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/handler"
)

// Process handles a batch. It calls done, any number of times and from any
// goroutine, with the places in the batch of messages that are finished, nil
// for all of them, and returns when all are or ctx has ended. What is not done
// then is left to the shard's next reader.
type Process func(ctx context.Context, batch []handler.Message, done func(places []int))

// Options of a Dispatcher.
type Options struct {
	Process    Process
	Limit      int           // messages in process at a time; 1 or more
	BatchSize  int           // the most messages in a batch; 1 or more
	BatchBytes int           // the most payload in a batch of more than one
	Linger     time.Duration // how long a batch that is not full waits while others are in process
	Unordered  bool          // messages of one partition key may run side by side
	Queue      int           // the most messages that wait or are in process, all shards together
	ShardQueue int           // the most messages that wait or are in process, of one shard
	Unfinished int           // the most that State.Unfinished counts, all shards together; each has an equal part, ShardQueue at least
	Moved      func()        // called when a watermark has moved; must not block
	Done       func(n int)   // called when n more messages are done; must not block
}

// chunkSize is how many messages are admitted at a time.
const chunkSize = 256

// Dispatcher is safe for use by several goroutines. It has a goroutine for each
// batch in process, and keeps those for a while.
type Dispatcher struct {
	o         Options
	queue     *semaphore.Weighted
	seed      maphash.Seed
	pool      sync.Pool // of *batch
	chunkPool sync.Pool
	jobs      chan *batch // to goroutines that wait for one

	mu        sync.Mutex
	runnable  []*Run // those with messages that are ready, in turn
	later     []*Run // used by schedule
	open      int    // Runs
	inProcess int
	short     time.Time   // since when there has been no room for a full batch
	timer     *time.Timer // of a batch that waits to be filled
}

// New returns a Dispatcher.
func New(o Options) *Dispatcher {
	o.Queue = max(o.Queue, chunkSize)
	o.ShardQueue = max(o.ShardQueue, chunkSize)
	d := &Dispatcher{o: o, queue: semaphore.NewWeighted(int64(o.Queue)), seed: maphash.MakeSeed(), jobs: make(chan *batch)}
	d.timer = time.AfterFunc(time.Hour, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.schedule(d.handOff)
	})
	d.timer.Stop()
	return d
}

// InProcess returns how many messages handlers have now.
func (d *Dispatcher) InProcess() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.inProcess
}

// Open begins a grant's messages. They are handled while ctx is good. Stop or
// Finish must be called at the end.
func (d *Dispatcher) Open(ctx context.Context) *Run {
	d.mu.Lock()
	d.open++
	d.mu.Unlock()
	return &Run{
		d: d, ctx: ctx, slots: semaphore.NewWeighted(int64(d.o.ShardQueue)),
		lanes: newLanes(d.o.ShardQueue), chunks: map[*chunk]struct{}{}, idle: make(chan struct{}),
	}
}

// unfinished returns how many messages of one shard may be kept in mind. The
// lock is held.
func (d *Dispatcher) unfinished() int { return max(d.o.ShardQueue, d.o.Unfinished/max(d.open, 1)) }

// schedule starts batches while there are messages and room, taking the shards
// in turn; to gets each. The lock is held.
func (d *Dispatcher) schedule(to func(*batch)) {
	now, wait := time.Now(), time.Duration(-1)
	for len(d.runnable) > 0 && d.inProcess < d.o.Limit {
		r := d.runnable[0]
		d.runnable = d.runnable[1:]
		if r.stopped || r.ready.len() == 0 || r.ctx.Err() != nil {
			r.runnable = false
			continue
		}
		if left := d.linger(r, now); left > 0 {
			if wait < 0 || left < wait {
				wait = left
			}
			d.later = append(d.later, r)
			continue
		}
		to(d.start(r))
		d.runnable = append(d.runnable, r)
	}
	d.runnable = append(d.runnable, d.later...)
	d.later = d.later[:0]
	if wait >= 0 {
		d.timer.Reset(wait)
	}
}

// linger returns how long to wait before r's next batch, so that it becomes
// full: for messages, or for room. It is worth it only while something else is
// in process, whose end may bring them.
func (d *Dispatcher) linger(r *Run, now time.Time) time.Duration {
	full := min(d.o.BatchSize, d.o.Limit)
	switch {
	case d.inProcess == 0 || r.finishing:
		return 0
	case r.ready.len() < full:
		return d.o.Linger - now.Sub(r.readySince)
	case d.o.Limit-d.inProcess >= full:
		return 0
	case d.short.IsZero():
		d.short = now
	}
	return d.o.Linger - now.Sub(d.short)
}

// start takes a batch from r.
func (d *Dispatcher) start(r *Run) *batch {
	b, _ := d.pool.Get().(*batch)
	if b == nil {
		b = &batch{}
	}
	b.run = r
	size, bytes := min(d.o.BatchSize, d.o.Limit-d.inProcess), 0
	for len(b.refs) < size && r.ready.len() > 0 {
		m := r.ready.peek().message()
		bytes += len(m.Data)
		if len(b.refs) > 0 && bytes > d.o.BatchBytes {
			break
		}
		b.messages = append(b.messages, *m)
		b.refs = append(b.refs, r.ready.pop())
	}
	d.short = time.Time{}
	b.left = len(b.refs)
	d.inProcess += b.left
	r.batches++
	return b
}

// handOff gives b to a goroutine that waits for one, or to a new one.
func (d *Dispatcher) handOff(b *batch) {
	select {
	case d.jobs <- b:
	default:
		go d.work(b)
	}
}

// idleWorker is how long a goroutine waits for another batch. It has a stack
// of the size that the handler needs.
const idleWorker = 5 * time.Second

// work processes b, and then others as they come.
func (d *Dispatcher) work(b *batch) {
	idle := time.NewTimer(idleWorker)
	defer idle.Stop()
	for {
		for b != nil {
			b = d.process(b)
		}
		idle.Reset(idleWorker)
		select {
		case b = <-d.jobs:
		case <-idle.C:
			return
		}
	}
}

// process processes b, and returns the next batch for its goroutine, if there
// is one.
func (d *Dispatcher) process(b *batch) *batch {
	d.o.Process(b.run.ctx, b.messages, b.done)
	r := b.run
	d.mu.Lock()
	d.inProcess -= b.left
	r.batches--
	if b.left > 0 {
		r.stopped = true // ctx has ended; what is left is the next reader's
	}
	r.settle()
	var next *batch
	d.schedule(func(another *batch) {
		if next == nil {
			next = another
			return
		}
		d.handOff(another)
	})
	d.mu.Unlock()
	clear(b.messages)
	clear(b.refs)
	*b = batch{messages: b.messages[:0], refs: b.refs[:0]}
	d.pool.Put(b)
	return next
}

// batch is some messages in process.
type batch struct {
	run      *Run
	messages []handler.Message
	refs     []ref // a zero ref is done
	left     int
}

func (b *batch) done(places []int) {
	r, d := b.run, b.run.d
	d.mu.Lock()
	before, moves := b.left, r.tracker.Moves()
	if places == nil {
		for i := range b.refs {
			b.doneOne(i)
		}
	}
	for _, i := range places {
		b.doneOne(i)
	}
	finished := before - b.left
	d.inProcess -= finished
	moved := r.tracker.Moves() != moves
	if moved {
		r.makeRoom()
	}
	if b.left > 0 { // else process does it in a moment
		d.schedule(d.handOff)
	}
	d.mu.Unlock()
	r.slots.Release(int64(finished))
	d.queue.Release(int64(finished))
	if d.o.Done != nil {
		d.o.Done(finished)
	}
	if moved && d.o.Moved != nil {
		d.o.Moved()
	}
}

func (b *batch) doneOne(i int) {
	if b.refs[i].chunk == nil {
		return
	}
	b.run.done(b.refs[i])
	b.refs[i] = ref{}
	b.left--
}
