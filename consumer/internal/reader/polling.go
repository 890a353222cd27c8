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

// MaxAnswer is the most memory one answer needs: Kinesis sends at most 10 MiB
// of data, in base64, and the rest is small.
const MaxAnswer = 14 << 20

// ahead is how many Batches of one shard may be held at a time if they are as
// large as can be: more of smaller ones, for each that has a message that takes
// long is held, and those behind it are handled meanwhile.
const ahead = 2

// missing is how often in a row a shard must be missing, absence or more apart,
// until that is believed.
const (
	missing = 4
	absence = 200 * time.Millisecond
)

// Polling reads shards by GetRecords.
type Polling struct {
	Source   Source
	Budget   *budget.Budget
	Pace     Pace
	Patience time.Duration // with a shard that cannot be read, before Run ends; 0: without end, for a grant ends by itself
	Observer Observer
	Log      zerolog.Logger
}

// Run reads the grant's shard into sink until its end, and returns the shards
// that go on from there. A shard that is gone for good counts as ended,
// without children. Any other return is an error: that of ctx, or of sink. With
// Patience it may be that of the source too: at once if reading is refused or
// the shard is gone, which then is no end, and else when patience is over.
func (p *Polling) Run(ctx context.Context, g contract.Grant, sink Sink) ([]contract.ChildShard, error) {
	children, _, err := p.from(ctx, g, sink, p.part(), "", time.Time{})
	return children, err
}

// part returns what one shard may hold, with the answer that it asks for: no more
// is asked for once half of what the Budget has beside an answer is held, so that
// there is room for one of another shard, however small the Budget is.
func (p *Polling) part() *budget.Budget {
	return budget.New(MaxAnswer + min((ahead-1)*MaxAnswer, max(0, p.Budget.Size()-MaxAnswer)/2))
}

// from is Run from after the record last on, if that is not empty, and until a
// time, if that is not zero: errEnough is the error then. It returns the last
// record that sink has taken. Batches are of held until they are released.
func (p *Polling) from(ctx context.Context, g contract.Grant, sink Sink, held *budget.Budget, last string, until time.Time) ([]contract.ChildShard, string, error) {
	l := &poll{Polling: p, grant: g, sink: sink, last: last, pacer: newPacer(p.Pace), held: held, log: named(p.Log, g)}
	for {
		done, children, err := l.step(ctx)
		switch {
		case done:
			return children, l.last, nil
		case ctx.Err() != nil:
			return nil, l.last, fmt.Errorf("read shard: %w", context.Cause(ctx))
		case errors.Is(err, errSink):
			return nil, l.last, err
		case errors.Is(err, ErrNoShard):
			if l.absent++; l.absent == missing && p.Patience == 0 {
				l.log.Warn().Msg("shard is gone")
				return nil, l.last, nil
			}
		}
		if l.hopeless(err) {
			return nil, l.last, err
		}
		if !until.IsZero() && !time.Now().Before(until) {
			return nil, l.last, errEnough
		}
		if !wait(ctx, l.next(err)) {
			return nil, l.last, fmt.Errorf("read shard: %w", context.Cause(ctx))
		}
	}
}

var (
	errSink   = errors.New("deliver records")
	errEnough = errors.New("the time to poll is over")
)

// named returns a log that names the grant.
func named(log zerolog.Logger, g contract.Grant) zerolog.Logger {
	return log.With().Str("shard", g.Shard).Int64("generation", g.Generation).Logger()
}

// poll is the reading of one shard.
type poll struct {
	*Polling
	grant    contract.Grant
	sink     Sink
	log      zerolog.Logger
	pacer    *pacer
	held     *budget.Budget // bytes of Batches
	iterator string
	last     string    // everything up to and including it was read
	read     bool      // last is a record that was read here
	again    bool      // the iterator begins at last itself: has the stream still got it?
	absent   int       // how often in a row the shard was missing
	failures int       // in a row
	failing  time.Time // since when, if failures > 0
}

// hopeless tells whether a step's error ends the reading.
func (l *poll) hopeless(err error) bool {
	if l.Patience == 0 || err == nil {
		return false
	}
	return errors.Is(err, ErrRefused) || errors.Is(err, ErrPosition) || l.absent >= missing || l.failures >= missing && time.Since(l.failing) >= l.Patience
}

// step makes one call and delivers what it gave.
func (l *poll) step(ctx context.Context) (done bool, children []contract.ChildShard, err error) {
	if l.iterator == "" {
		if err := l.renew(ctx); err != nil {
			return false, nil, err
		}
	}
	own, err := l.held.Take(ctx, MaxAnswer)
	if err != nil {
		return false, nil, fmt.Errorf("wait for the shard's batches: %w", err)
	}
	share, err := l.Budget.Take(ctx, MaxAnswer)
	if err != nil {
		own.Return()
		return false, nil, err
	}
	release := func() {
		share.Return()
		own.Return()
	}
	if err := ctx.Err(); err != nil { // by the clock: a process that was stopped for a while goes on before Done is closed
		release()
		return false, nil, err
	}
	l.pacer.called(time.Now())
	b, err := l.Source.Records(ctx, l.grant, l.iterator)
	if err != nil {
		release()
		if errors.Is(err, ErrExpired) || errors.Is(err, ErrIterator) {
			l.iterator, l.again = "", l.read
		}
		return false, nil, err
	}
	share.Shrink(b.Cost)
	own.Shrink(b.Cost)
	if l.again {
		l.again = !goOn(b, l.last, l.Observer, l.log)
	}
	l.pacer.answered(len(b.Records), b.Payload, b.BehindMS)
	l.Observer.Read(len(b.Records), b.Payload, b.BehindMS)
	if err := l.sink.Accept(ctx, b, release); err != nil {
		return false, nil, fmt.Errorf("%w: %w", errSink, err)
	}
	if n := len(b.Records); n > 0 {
		l.last, l.read = strings.Clone(b.Records[n-1].Sequence), true
	}
	l.iterator = b.Next
	return b.Last(), b.Children, nil
}

func (l *poll) renew(ctx context.Context) error {
	start := Start{Start: l.grant.Start, After: l.last}
	if l.again {
		start = at(l.last)
	}
	it, err := l.Source.Iterator(ctx, l.grant, start)
	if err != nil {
		return err
	}
	l.iterator = it
	return nil
}

// next returns how long to wait before the next step.
func (l *poll) next(err error) time.Duration {
	if !errors.Is(err, ErrNoShard) {
		l.absent = 0
	}
	if err == nil {
		l.failures = 0
		return l.pacer.next(time.Now())
	}
	switch {
	case errors.Is(err, ErrExpired):
		return l.pacer.next(time.Now())
	case errors.Is(err, ErrThrottled):
		l.Observer.Throttled()
		l.pacer.slow()
	case errors.Is(err, ErrNoShard):
		return absence + backoff(l.absent)
	case errors.Is(err, ErrPosition): // nobody but a person can mend it
		l.Observer.ReadFailed()
		if l.failures%100 == 0 {
			l.log.Error().Err(err).Msg("shard cannot be read from its checkpoint, which is not of this shard: leasekeeper rewind sets another")
		}
	default:
		l.Observer.ReadFailed()
		if l.failures == 3 || l.failures%100 == 99 {
			l.log.Warn().Err(err).Int("failures", l.failures+1).Msg("shard cannot be read, trying again")
		}
	}
	if l.failures++; l.failures == 1 {
		l.failing = time.Now()
	}
	return backoff(l.failures)
}

// backoff returns a random wait of up to 100 ms, doubled with every failure,
// and at most 5 s.
func backoff(failures int) time.Duration {
	bound := 5 * time.Second
	if failures < 7 {
		bound = min(bound, 50*time.Millisecond<<failures)
	}
	return rand.N(bound)
}

func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
