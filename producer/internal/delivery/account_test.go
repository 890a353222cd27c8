package delivery_test

import (
	"errors"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/account"
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
