package delivery_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/account"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/delivery"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/put"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/record"
)

// TestEngine_UnsureGivenUp: what was sent, not answered and then given up may be
// on the stream, and the account says so.
func TestEngine_UnsureGivenUp(t *testing.T) {
	s, books := newStream(1, threeShards(t)), account.New()
	s.lost = 1
	o := options(s, books)
	o.RetryTimeout = 3 * time.Second
	sum, err := deliver(t, o, numbered(60, 60))
	if err != nil || sum.Failed != 60 || sum.FailedUnsure != 60 || sum.FailedReasons["ConnectionLost"] != 60 {
		t.Errorf("got %d failed, %d of them unsure, for %v, %v, want 60 and 60 for ConnectionLost", sum.Failed, sum.FailedUnsure, sum.FailedReasons, err)
	}
	if sum.LostAnswers == 0 || sum.LostAnswers != sum.Requests {
		t.Errorf("got %d answers lost of %d requests, want all", sum.LostAnswers, sum.Requests)
	}
}

// TestEngine_FatalWhileHalved: the halves of a refused request that are yet to go
// when all ends have failed like everything else.
func TestEngine_FatalWhileHalved(t *testing.T) {
	s, books := newStream(1, threeShards(t)), account.New()
	s.on = func(call int, _ []record.Record) error {
		if call == 1 {
			return &put.Error{Kind: put.Refused, Code: "ValidationException", Err: errors.New("no")}
		}
		return &put.Error{Kind: put.Fatal, Code: "ResourceNotFoundException", Err: errors.New("the stream is gone")}
	}
	o := options(s, books)
	o.Concurrency = 1
	sum, err := deliver(t, o, numbered(50, 50))
	if err == nil || sum.Accepted != 50 || sum.Failed != 50 || books.Now().Buffered != 0 {
		t.Errorf("got %d accepted, %d failed, %d bytes buffered, %v, want 50 and 50 and none", sum.Accepted, sum.Failed, books.Now().Buffered, err)
	}
}

// TestEngine_Denied: refused credentials end a producer that never got anything
// through; later they may pass, and count as failed after the retry timeout.
func TestEngine_Denied(t *testing.T) {
	denied := &put.Error{Kind: put.Denied, Code: "AccessDeniedException", Err: errors.New("not authorized")}
	for name, tc := range map[string]struct {
		from, to int // requests that are denied
		ends     bool
		failed   bool
	}{
		"from the start":  {from: 1, to: 1, ends: true},
		"for a while":     {from: 5, to: 40},
		"till the end":    {from: 5, to: 1 << 30, failed: true},
		"never after all": {},
	} {
		t.Run(name, func(t *testing.T) {
			s, books := newStream(1, threeShards(t)), account.New()
			s.on = func(call int, _ []record.Record) error {
				if call >= tc.from && call <= tc.to {
					return denied
				}
				return nil
			}
			o := options(s, books)
			o.RetryTimeout = 5 * time.Minute
			sum, err := deliver(t, o, numbered(5000, 5000))
			if got := errors.Is(err, denied); got != tc.ends {
				t.Errorf("got error %v, want one: %t", err, tc.ends)
			}
			if got := sum.Failed > 0; got != (tc.ends || tc.failed) || sum.Accepted != sum.Acknowledged+sum.Failed || sum.FailedUnsure != 0 {
				t.Errorf("got %d accepted, %d acknowledged, %d failed, %d unsure", sum.Accepted, sum.Acknowledged, sum.Failed, sum.FailedUnsure)
			}
			if tc.failed && (sum.FailedReasons["AccessDeniedException"] != sum.Failed || sum.Seconds < 300) {
				t.Errorf("got reasons %v after %v s, want the service's after 5 minutes", sum.FailedReasons, sum.Seconds)
			}
		})
	}
}

// TestEngine_RefusedLogged: a log line for the first refused messages only.
func TestEngine_RefusedLogged(t *testing.T) {
	s, books := newStream(1, threeShards(t)), account.New()
	s.on = func(int, []record.Record) error {
		return &put.Error{Kind: put.Refused, Code: "ValidationException", Err: errors.New("no")}
	}
	var log bytes.Buffer
	o := options(s, books)
	o.Log = zerolog.New(&log)
	sum, err := deliver(t, o, numbered(300, 300))
	if got := strings.Count(log.String(), "message refused"); err != nil || sum.Failed != 300 || got != delivery.LoggedMessages {
		t.Errorf("got %d failed, %d logged, %v, want 300 and %d", sum.Failed, got, err, delivery.LoggedMessages)
	}
}

// TestEngine_RefusedAggregate: the log names the first message of what was refused.
func TestEngine_RefusedAggregate(t *testing.T) {
	s, books := newStream(1, evenShards(t, 1, 0)), account.New()
	s.on = func(int, []record.Record) error {
		return &put.Error{Kind: put.Refused, Code: "ValidationException", Err: errors.New("no")}
	}
	var log bytes.Buffer
	o := options(s, books)
	o.Log, o.AggregateBytes = zerolog.New(&log), 5000
	sum, err := deliver(t, o, numbered(30, 30)[10:])
	if want := `"position":10,"messages":20,`; err != nil || sum.Failed != 20 || !strings.Contains(log.String(), want) {
		t.Errorf("got %d failed, %v, log %s, want 20 and %s", sum.Failed, err, log.String(), want)
	}
}

// TestEngine_AggregateBytes: aggregates are filled, and no larger than asked for.
func TestEngine_AggregateBytes(t *testing.T) {
	s, books := newStream(1, threeShards(t)), account.New()
	o := options(s, books)
	o.AggregateBytes = 2000
	sum, err := deliver(t, o, numbered(3000, 3000))
	if err != nil || sum.Acknowledged != 3000 || s.wrong > 0 {
		t.Fatalf("got %d acknowledged, %d on a wrong shard, %v", sum.Acknowledged, s.wrong, err)
	}
	if s.record > 2000 || s.record < 1000 {
		t.Errorf("got a largest record of %d bytes, want 1000 to 2000: what a message adds is estimated from above", s.record)
	}
	if sum.Records > 100 {
		t.Errorf("got %d records for 3000 small messages, want at most 100", sum.Records)
	}
}
