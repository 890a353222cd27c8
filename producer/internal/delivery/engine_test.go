package delivery_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/account"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/delivery"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/message"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/put"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/record"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/shards"
)

func TestEngine_FillsRequests(t *testing.T) {
	s, books := newStream(1, threeShards(t)), account.New()
	sum, err := deliver(t, options(s, books), numbered(500, 500))
	if err != nil || sum.Requests != 10 || sum.Records != 500 || sum.Retried != 0 {
		t.Errorf("got %d requests, %d records, %d retried, %v, want 10, 500, 0", sum.Requests, sum.Records, sum.Retried, err)
	}
}

func TestEngine_Linger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, books := newStream(1, threeShards(t)), account.New()
		o := options(s, books)
		e := delivery.New(o)
		done := make(chan error, 1)
		go func() { done <- e.Run(t.Context()) }()
		for _, m := range numbered(3, 3) {
			if err := e.Submit(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Millisecond)
		}
		if got := books.Now().Requests; got != 0 {
			t.Errorf("got %d requests before the linger time, want 0", got)
		}
		time.Sleep(o.Linger + 2*s.latency)
		if got := books.Now(); got.Requests > 3 || got.Acknowledged != 3 {
			t.Errorf("got %d requests, %d acknowledged after it, want all 3", got.Requests, got.Acknowledged)
		}
		e.Close()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}

func TestEngine_RetryTimeout(t *testing.T) {
	s, books := newStream(1, threeShards(t)), account.New()
	s.partial = 1
	o := options(s, books)
	o.RetryTimeout = 3 * time.Second
	sum, err := deliver(t, o, numbered(120, 120))
	if err != nil {
		t.Fatal(err)
	}
	if sum.Failed != 120 || sum.Acknowledged != 0 || sum.FailedUnsure != 0 || !slices.Equal(sum.FailedPositions, []string{"0-119"}) {
		t.Errorf("got failed %d at %v (%d unsure), acknowledged %d, want 120 at 0-119 for certain", sum.Failed, sum.FailedPositions, sum.FailedUnsure, sum.Acknowledged)
	}
	if sum.FailedReasons["InternalFailure"] != 120 || sum.Retried == 0 {
		t.Errorf("got reasons %v, %d retried, want 120 InternalFailure after retries", sum.FailedReasons, sum.Retried)
	}
	if sum.Seconds < 3 || sum.Seconds > 10 {
		t.Errorf("got %v seconds, want a little over 3", sum.Seconds)
	}
}

func TestEngine_RefusedMessageIsIsolated(t *testing.T) {
	for name, ordered := range map[string]bool{"unordered": false, "ordered": true} {
		t.Run(name, func(t *testing.T) {
			s, books := newStream(1, threeShards(t)), account.New()
			s.on = func(_ int, records []record.Record) error {
				for _, r := range records {
					if r.One.Position == 17 || r.One.Position == 90 {
						return &put.Error{Kind: put.Refused, Code: "ValidationException", Err: errors.New("no")}
					}
				}
				return nil
			}
			o := options(s, books)
			o.Ordered = ordered
			sum, err := deliver(t, o, numbered(200, 100))
			if err != nil || sum.Acknowledged != 198 || !slices.Equal(sum.FailedPositions, []string{"17", "90"}) {
				t.Errorf("got %d acknowledged, failed %v, %v, want all but 17 and 90", sum.Acknowledged, sum.FailedPositions, err)
			}
		})
	}
}

func TestEngine_Fatal(t *testing.T) {
	s, books := newStream(1, threeShards(t)), account.New()
	s.on = func(call int, _ []record.Record) error {
		if call <= 2 {
			return nil
		}
		return &put.Error{Kind: put.Fatal, Code: "ResourceNotFoundException", Err: errors.New("the stream is gone")}
	}
	sum, err := deliver(t, options(s, books), numbered(5000, 5000))
	if err == nil || !strings.Contains(err.Error(), "gone") {
		t.Fatalf("got %v, want the service's error", err)
	}
	if sum.Accepted != sum.Acknowledged+sum.Failed || sum.Failed == 0 || sum.FailedUnsure != 0 {
		t.Errorf("got %+v, want everything accounted for", sum)
	}
}

func TestEngine_StoppedAccountsForAll(t *testing.T) {
	s, books := newStream(1, threeShards(t)), account.New()
	s.latency = time.Minute // requests are under way when it stops
	o := options(s, books)
	o.AttemptTimeout = time.Hour
	o.Ordered = true
	var sum account.Summary
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		e := delivery.New(o)
		done := make(chan error, 1)
		go func() { done <- e.Run(ctx) }()
		for _, m := range numbered(1000, 300) {
			if err := e.Submit(t.Context(), m); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(100 * time.Millisecond)
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if err := e.Submit(t.Context(), message.Message{Key: "late"}); !errors.Is(err, delivery.ErrStopped) {
			t.Errorf("got %v from Submit after the end, want ErrStopped", err)
		}
		sum = books.Summarize(time.Second)
	})
	if sum.Failed != 1000 || !slices.Equal(sum.FailedPositions, []string{"0-999"}) {
		t.Errorf("got %d failed %v, want all", sum.Failed, sum.FailedPositions)
	}
	if sum.FailedUnsure == 0 || sum.FailedUnsure > 4*50 {
		t.Errorf("got %d unsure, want those of the 4 requests under way", sum.FailedUnsure)
	}
	if sum.Retried != 0 {
		t.Errorf("got %d retried, want 0", sum.Retried)
	}
}

func TestEngine_SubmitWaitsForSpace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, books := newStream(1, threeShards(t)), account.New()
		o := options(s, books)
		o.MaxBuffered = 1000
		e := delivery.New(o) // not running: nothing is freed
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		accepted := 0
		for _, m := range numbered(100, 100) {
			if err := e.Submit(ctx, m); err != nil {
				break
			}
			accepted++
		}
		if accepted != 3 {
			t.Errorf("got %d messages accepted, want the 3 that fit", accepted)
		}
		if got := books.Now(); got.Accepted != 3 || got.Buffered > 1000 {
			t.Errorf("got %+v, want 3 accepted within 1000 bytes", got)
		}
	})
}

// stopped stands still in its first call, as a process does between SIGSTOP and
// SIGCONT: the request's time is over when it goes on.
type stopped struct {
	*stream
	calls int
}

func (f *stopped) Put(ctx context.Context, records []record.Record) ([]record.Outcome, error) {
	if f.calls++; f.calls == 1 {
		time.Sleep(10 * time.Minute)
		return nil, &put.Error{Kind: put.Lost, Code: "Timeout", Err: ctx.Err()}
	}
	return f.stream.Put(ctx, records)
}

// TestEngine_RetryTimeoutStandstill: nothing is given up because the process stood still.
func TestEngine_RetryTimeoutStandstill(t *testing.T) {
	s, books := newStream(1, threeShards(t)), account.New()
	o := options(s, books)
	o.Put, o.RetryTimeout = &stopped{stream: s}, 5*time.Minute
	sum, err := deliver(t, o, numbered(50, 50))
	if err != nil || sum.Acknowledged != 50 || sum.Retried != 50 {
		t.Errorf("got %d acknowledged, %d retried, failed for %v, %v, want all sent again", sum.Acknowledged, sum.Retried, sum.FailedReasons, err)
	}
}

// flaky refuses the record of its first calls.
type flaky struct {
	*stream
	calls int
}

func (f *flaky) Put(ctx context.Context, records []record.Record) ([]record.Outcome, error) {
	if f.calls++; f.calls <= 6 {
		return []record.Outcome{{Code: "InternalFailure"}}, nil
	}
	return f.stream.Put(ctx, records)
}

// TestEngine_FullJitter: six failures wait for up to 50, 100 … 1600 ms, uniformly.
func TestEngine_FullJitter(t *testing.T) {
	for _, jitter := range []float64{0, 0.5, 0.9} {
		s, books := newStream(1, threeShards(t)), account.New()
		o := options(s, books)
		o.Put, o.Linger, o.Jitter = &flaky{stream: s}, 0, func() float64 { return jitter }
		sum, err := deliver(t, o, numbered(1, 1))
		if want := 3.15 * jitter; err != nil || sum.Retried != 6 || sum.Seconds < want || sum.Seconds > want+0.1 {
			t.Errorf("jitter %v: got %d retries in %v s, %v, want 6 in %v", jitter, sum.Retried, sum.Seconds, err, want)
		}
	}
}

// limited is a stream whose first shard takes perSecond records a second.
type limited struct {
	*stream
	perSecond, tokens float64
	at                time.Time
}

func (l *limited) Put(ctx context.Context, records []record.Record) ([]record.Outcome, error) {
	time.Sleep(5 * time.Millisecond)
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.tokens = min(l.perSecond, l.tokens+l.perSecond*now.Sub(l.at).Seconds())
	l.at = now
	outcomes := make([]record.Outcome, len(records))
	for i, r := range records {
		shard := l.shards.Find(r.Hash)
		if shard == 0 {
			if l.tokens < 1 {
				outcomes[i].Code = "ProvisionedThroughputExceededException"
				continue
			}
			l.tokens--
		}
		outcomes[i].Shard = l.shards.ID(shard)
		l.copies[r.One.Position]++
	}
	return outcomes, nil
}

// TestEngine_ThrottledShard overloads one shard of three: it must get about
// what it takes with few refusals, and the others must not wait for it.
func TestEngine_ThrottledShard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, books := newStream(1, threeShards(t)), account.New()
		slow := &limited{stream: s, perSecond: 500, at: time.Now()}
		o := options(s, books)
		o.Put, o.Jitter = slow, rand.New(rand.NewPCG(1, 2)).Float64
		e := delivery.New(o)
		done := make(chan error, 1)
		go func() { done <- e.Run(t.Context()) }()
		started := time.Now()
		var fastUntil time.Time
		messages := make([]message.Message, 0, 6000)
		for _, m := range numbered(18000, 18000) { // a third for each shard
			if shard := s.shards.Find(shards.HashOf(m.Key)); shard == 0 || len(messages) < 12000 {
				messages = append(messages, m)
			}
		}
		go func() {
			for books.Now().Acknowledged < int64(len(messages))/2 {
				time.Sleep(time.Millisecond)
			}
			fastUntil = time.Now()
		}()
		for _, m := range messages {
			if err := e.Submit(t.Context(), m); err != nil {
				t.Fatal(err)
			}
		}
		e.Close()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		sum := books.Summarize(time.Since(started))
		slowMessages := 0
		for _, m := range messages {
			if s.shards.Find(shards.HashOf(m.Key)) == 0 {
				slowMessages++
			}
		}
		best := float64(slowMessages) / slow.perSecond // less what its bucket holds at first
		t.Logf("%d of %d messages for the slow shard: %.1f s, %.1f at best; %d refusals; half was there after %s",
			slowMessages, len(messages), sum.Seconds, best, sum.Throttled, fastUntil.Sub(started))
		if sum.Acknowledged != int64(len(messages)) {
			t.Fatalf("got %d acknowledged, want %d", sum.Acknowledged, len(messages))
		}
		if others := fastUntil.Sub(started); others > time.Second {
			t.Errorf("the others took %s, want them not to wait", others)
		}
		if sum.Seconds > 1.2*best {
			t.Errorf("the slow shard took %.1f s, want at most half more than %.1f", sum.Seconds, best)
		}
		if sum.Throttled > int64(slowMessages)/10 {
			t.Errorf("got %d refusals for %d messages, want one for ten", sum.Throttled, slowMessages)
		}
	})
}
