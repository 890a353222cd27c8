package reader

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/budget"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
)

// Subscriber is Kinesis's enhanced fan-out.
type Subscriber interface {
	// Subscribe subscribes to the grant's shard. The Subscription must be closed.
	Subscribe(ctx context.Context, g contract.Grant, s Start) (Subscription, error)
}

// Subscription is one call of SubscribeToShard. Kinesis ends it after five
// minutes.
type Subscription interface {
	// Next waits for an event. io.EOF is an orderly end.
	Next(ctx context.Context) (*Batch, error)
	Close()
}

// ErrInUse is the error of a subscription that another one holds or has taken.
var ErrInUse = errors.New("another subscription has the shard")

// Fanout reads shards by subscriptions, and by polling while it can have none.
type Fanout struct {
	Subscriber Subscriber
	Polling    *Polling
	Budget     *budget.Budget
	Observer   Observer
	Log        zerolog.Logger

	Silence  time.Duration // without an event, after which a subscription counts as dead; Kinesis sends one every 5 s or so
	Renew    time.Duration // after which a subscription is replaced, before Kinesis ends it
	GiveUp   int           // failures in a row, until polling
	Fallback time.Duration // how long to poll before trying again
}

// NewFanout returns a Fanout with the usual times.
func NewFanout(s Subscriber, p *Polling) *Fanout {
	return &Fanout{
		Subscriber: s, Polling: p, Budget: p.Budget, Observer: p.Observer, Log: p.Log,
		Silence: 20 * time.Second, Renew: 290 * time.Second, GiveUp: 8, Fallback: 2 * time.Minute,
	}
}

// Run reads as Polling.Run does.
func (f *Fanout) Run(ctx context.Context, g contract.Grant, sink Sink) ([]contract.ChildShard, error) {
	log := named(f.Log, g)
	s := &subscribed{Fanout: f, grant: g, sink: sink, log: log, held: f.Polling.part()}
	for failures := 0; ; {
		done, children, err := s.once(ctx)
		switch {
		case done:
			return children, nil
		case ctx.Err() != nil:
			return nil, fmt.Errorf("read shard: %w", context.Cause(ctx))
		case errors.Is(err, errSink):
			return nil, err
		case err == nil:
			failures = 0
			continue
		}
		failures++
		// What is missing may be the shard or the stream consumer: polling finds out.
		if failures >= f.GiveUp || errors.Is(err, ErrNoShard) && failures >= missing {
			log.Warn().Err(err).Dur("for", f.Fallback).Msg("cannot subscribe, polling instead")
			if done, children, err = s.poll(ctx); done || err != nil {
				return children, err
			}
			failures = 0
			continue
		}
		if !wait(ctx, s.backoff(err, failures)) {
			return nil, fmt.Errorf("read shard: %w", context.Cause(ctx))
		}
	}
}

// subscribed is the reading of one shard.
type subscribed struct {
	*Fanout
	grant contract.Grant
	sink  Sink
	log   zerolog.Logger
	held  *budget.Budget // bytes of Batches: what is left of Budget is for the other shards
	last  string         // everything up to and including it was read
	seen  string         // the last record, where more is behind it: subscribe at it, for it may have been trimmed away with what follows
	again bool           // the subscription began at seen, and no record has come yet
}

func (s *subscribed) backoff(err error, failures int) time.Duration {
	switch {
	case errors.Is(err, ErrThrottled):
		s.Observer.Throttled()
	case errors.Is(err, ErrInUse): // ours of a moment ago, or the shard's last reader's: it goes within 5 s
		return time.Second + rand.N(time.Second)
	default:
		s.Observer.ReadFailed()
	}
	return backoff(failures)
}

// once reads from one subscription. No error means that it went on for a while
// and is to be followed by another.
func (s *subscribed) once(long context.Context) (done bool, children []contract.ChildShard, err error) {
	if err := long.Err(); err != nil { // by the clock
		return false, nil, fmt.Errorf("read shard: %w", err)
	}
	ctx, cancel := context.WithCancel(long)
	defer cancel()
	dead := time.AfterFunc(s.Silence, cancel) // the call itself is watched too
	defer dead.Stop()
	start := Start{Start: s.grant.Start, After: s.last}
	if s.again = s.seen != ""; s.again {
		start = at(s.seen)
	}
	sub, err := s.Subscriber.Subscribe(ctx, s.grant, start)
	if err != nil {
		return false, nil, err
	}
	defer sub.Close()
	renew := time.Now().Add(s.Renew - rand.N(s.Renew/20+1))
	for events := 0; ; events++ {
		dead.Reset(s.Silence)
		b, err := sub.Next(ctx)
		if err != nil {
			if events > 0 && !errors.Is(err, ErrInUse) {
				return false, nil, nil // the end, or a lost connection: go on from here
			}
			return false, nil, err
		}
		dead.Stop() // delivering may take as long as it takes
		if err := s.deliver(long, b); err != nil {
			return false, nil, err
		}
		if b.Last() {
			return true, b.Children, nil
		}
		if time.Now().After(renew) {
			return false, nil, nil
		}
	}
}

func (s *subscribed) deliver(ctx context.Context, b *Batch) error {
	if s.again {
		s.again = !goOn(b, s.seen, s.Observer, s.log)
	}
	if len(b.Records) > 0 || b.Last() {
		release, err := s.take(ctx, b.Cost)
		if err != nil {
			return err
		}
		if err := s.sink.Accept(ctx, b, release); err != nil {
			return fmt.Errorf("%w: %w", errSink, err)
		}
	} else if err := s.sink.Accept(ctx, b, func() {}); err != nil {
		return fmt.Errorf("%w: %w", errSink, err)
	}
	s.Observer.Read(len(b.Records), b.Payload, b.BehindMS)
	if !b.Last() {
		s.last = b.Next
	}
	if n := len(b.Records); n > 0 {
		s.seen = strings.Clone(b.Records[n-1].Sequence)
	}
	if b.BehindMS == 0 { // there is nothing to be trimmed
		s.seen = ""
	}
	return nil
}

// take takes memory of the shard's part and of the budget.
func (s *subscribed) take(ctx context.Context, bytes int64) (release func(), err error) {
	own, err := s.held.Take(ctx, bytes)
	if err != nil {
		return nil, fmt.Errorf("wait for the shard's batches: %w", err)
	}
	share, err := s.Budget.Take(ctx, bytes)
	if err != nil {
		own.Return()
		return nil, err //nolint:wrapcheck // it says what it is
	}
	return func() {
		share.Return()
		own.Return()
	}, nil
}

// poll polls for a while. It tells whether the shard's end was reached.
func (s *subscribed) poll(ctx context.Context) (done bool, children []contract.ChildShard, err error) {
	s.seen = ""
	children, s.last, err = s.Polling.from(ctx, s.grant, s.sink, s.held, s.last, time.Now().Add(s.Fallback))
	if errors.Is(err, errEnough) {
		return false, nil, nil
	}
	return err == nil, children, err
}
