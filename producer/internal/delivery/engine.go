// Package delivery brings accepted messages to the stream: it fills requests,
// sends them side by side, sends again what failed, and slows down for shards
// that are at their limit without stopping the others.
//
// One goroutine (Run) decides what goes into the next request; each request has
// a goroutine of its own; all state is behind one mutex. Not guaranteed: that a
// message whose request was never answered is stored once only.
package delivery

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/account"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/message"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/order"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/record"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/shards"
)

// ErrStopped is returned by Submit after Close, or when delivery has ended.
var ErrStopped = errors.New("delivery has stopped")

// Putter sends one request, once.
type Putter interface {
	// Put returns one outcome a record, or a *put.Error.
	Put(ctx context.Context, records []record.Record) ([]record.Outcome, error)
}

// Options of an Engine. All are required but Refresh and Jitter.
type Options struct {
	Linger         time.Duration // how long a message waits for a request to fill
	AttemptTimeout time.Duration // for one request
	RetryTimeout   time.Duration // from a message's first attempt to giving up; 0: never
	Concurrency    int           // requests in flight
	MaxRecords     int           // in a request
	MaxBytes       int           // in a request of more than one record
	MaxBuffered    int64         // bytes accepted and not settled, overhead included
	Ordered        bool
	AggregateBytes int // largest aggregate; 0: none are made

	Put     Putter
	Shards  *shards.Map
	Refresh func(context.Context) (*shards.Map, error) // reads the shards again; nil: they are not known
	Account *account.Account
	Log     zerolog.Logger
	Jitter  func() float64 // uniform in [0, 1); nil: math/rand
}

// Engine delivers messages. Make one with New, start Run, then Submit from one
// goroutine, and Close when there is no more.
type Engine struct {
	o    Options
	wake chan struct{} // tells Run that something has changed

	mu       sync.Mutex
	space    *sync.Cond // signals that bytes were freed, or that all is over
	buffered int64
	want     int // Run sleeps until that many more records, or
	wantSize int // that many more bytes, were submitted
	closed   bool
	ended    bool

	lanes     []*lane // one for each shard, by its index in the map
	shards    *shards.Map
	gate      order.Gate
	isolated  [][]record.Record // requests composed already: halves of a refused one
	turn      int               // the lane that goes first
	failures  int               // requests that failed as a whole, in a row
	pause     time.Time         // no request before
	window    window            // of bytes in flight
	stale     bool              // the shard map is to be read again
	reading   bool              // and is being read
	refreshAt time.Time         // not to be read before
	warned    time.Time         // when a failed request was last logged
	fatal     error
	proven    bool // the service has stored something: its refusals may pass
	refused   int  // messages logged as refused

	misplaced []placed // stored, but on another shard than foreseen
	batches   sync.Pool
}

// New returns an engine.
func New(o Options) *Engine {
	if o.Jitter == nil {
		o.Jitter = rand.Float64
	}
	e := &Engine{o: o, wake: make(chan struct{}, 1), shards: o.Shards}
	e.space = sync.NewCond(&e.mu)
	e.lanes = newLanes(o.Shards, nil)
	return e
}

// Submit takes over a message. It waits while the buffer is full. The error is
// ErrStopped or the context's; the message was then not accepted.
func (e *Engine) Submit(ctx context.Context, m message.Message) error {
	hash := shards.HashOf(m.Key)
	cost := int64(m.Size() + message.Overhead)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.full(cost) {
		if err := e.waitForSpace(ctx, cost); err != nil {
			return err
		}
	}
	if e.closed || e.ended {
		return ErrStopped
	}
	e.buffered += cost
	e.o.Account.Accept(m.Position)
	e.o.Account.Buffer(e.buffered)
	if e.o.Ordered && !e.gate.Pass(m) {
		return nil
	}
	e.place(m, hash, time.Now)
	if e.want--; e.want <= 0 || e.wantSize <= m.Size() {
		e.signal()
	}
	e.wantSize -= m.Size()
	return nil
}

// full tells whether the buffer has no space. A message larger than the whole
// buffer has space when it is alone.
func (e *Engine) full(cost int64) bool {
	return e.buffered > 0 && e.buffered+cost > e.o.MaxBuffered && !e.closed && !e.ended
}

func (e *Engine) waitForSpace(ctx context.Context, cost int64) error {
	defer context.AfterFunc(ctx, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.space.Broadcast()
	})()
	for e.full(cost) {
		if err := ctx.Err(); err != nil {
			return err
		}
		e.space.Wait()
	}
	return ctx.Err()
}

// place puts a message that may go into its shard's lane. Called with the lock.
func (e *Engine) place(m message.Message, hash shards.Hash, now func() time.Time) {
	l := e.lanes[e.shards.Find(hash)]
	if l.oldest().IsZero() {
		l.since = now()
		e.signal() // its time to linger begins
	}
	if e.o.AggregateBytes > 0 {
		if !l.fits(m, e.o.AggregateBytes) {
			l.finish(e.seal)
			if e.o.Ordered && e.gate.Hold(m) {
				return // an earlier message of its key is in what was finished
			}
		}
		l.pack(m, hash)
		return
	}
	if e.o.Ordered {
		e.gate.Close(m.Key)
	}
	l.fresh.push(record.Of(m, hash))
}

// seal is called for the messages of a finished aggregate: they are on their way.
func (e *Engine) seal(messages []message.Message) {
	if !e.o.Ordered {
		return
	}
	for _, m := range messages {
		e.gate.Close(m.Key)
	}
}

// Close says that no more messages come: what is there goes out without
// waiting for more.
func (e *Engine) Close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	e.space.Broadcast()
	e.signal()
}

// signal wakes Run. It never blocks.
func (e *Engine) signal() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}
