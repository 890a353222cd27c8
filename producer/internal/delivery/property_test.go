package delivery_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/account"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/delivery"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/record"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/shards"
)

// TestEngine_LosesNothing sends random messages to a stream that fails at
// random, and compares the account with what the stream has.
func TestEngine_LosesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 1200).Draw(rt, "messages")
		keys := rapid.IntRange(1, n).Draw(rt, "keys")
		s := newStream(rapid.Uint64().Draw(rt, "seed"), threeShards(t))
		rate := func(name string) float64 { return rapid.SampledFrom([]float64{0, 0.02, 0.2}).Draw(rt, name) }
		s.partial, s.throttle, s.lost, s.dropped, s.refused = rate("partial"), rate("throttle"), rate("lost"), rate("dropped"), rate("refused")
		books := account.New()
		o := options(s, books)
		o.Concurrency = rapid.IntRange(1, 8).Draw(rt, "concurrency")
		o.MaxRecords = rapid.SampledFrom([]int{1, 7, 50, 500}).Draw(rt, "records")
		o.MaxBytes = rapid.SampledFrom([]int{100, 2000, 1 << 20}).Draw(rt, "bytes")
		o.MaxBuffered = rapid.SampledFrom([]int64{1, 5000, 1 << 20}).Draw(rt, "buffered")
		o.Ordered = rapid.Bool().Draw(rt, "ordered")
		if rapid.Bool().Draw(rt, "aggregate") {
			o.AggregateBytes = rapid.SampledFrom([]int{200, 1000, 50_000}).Draw(rt, "aggregate bytes")
		}
		if rapid.Bool().Draw(rt, "reshard") {
			reshard(t, s, &o, rapid.IntRange(1, 20).Draw(rt, "at request"), rapid.SampledFrom([]int{1, 2, 6}).Draw(rt, "shards"), rapid.IntRange(0, 1).Draw(rt, "failed readings"))
		}
		messages := numbered(n, keys)
		sum, err := deliver(t, o, messages)
		if err != nil {
			rt.Fatalf("got error %v", err)
		}
		if sum.Accepted != int64(n) || sum.Acknowledged != int64(n) || sum.Failed != 0 {
			rt.Fatalf("got accepted %d, acknowledged %d, failed %d, want %d, %d, 0", sum.Accepted, sum.Acknowledged, sum.Failed, n, n)
		}
		if got := books.Now().Buffered; got != 0 {
			rt.Fatalf("got %d bytes buffered at the end", got)
		}
		if limit := max(o.MaxBuffered, 300); sum.BufferedHighest > limit {
			rt.Fatalf("got %d bytes buffered, want at most %d", sum.BufferedHighest, limit)
		}
		if s.heaviest > o.MaxBytes {
			rt.Fatalf("got %d bytes in a request, want at most %d", s.heaviest, o.MaxBytes)
		}
		if s.most > o.Concurrency || s.largest > o.MaxRecords || o.Refresh == nil && s.wrong > 0 {
			rt.Fatalf("got %d requests at a time, %d records in one, %d messages on a wrong shard", s.most, s.largest, s.wrong)
		}
		extra := 0
		for _, m := range messages {
			if s.copies[m.Position] == 0 {
				rt.Fatalf("message %d is not on the stream", m.Position)
			}
			extra += s.copies[m.Position] - 1
		}
		if int64(extra) > sum.MaybeDoubled {
			rt.Fatalf("got %d extra copies, the account says at most %d", extra, sum.MaybeDoubled)
		}
		if sum.Resent < int64(s.wrong) && sum.LostAnswers == 0 {
			rt.Fatalf("got %d messages on a wrong shard, %d sent again", s.wrong, sum.Resent)
		}
		if sum.LostAnswers == 0 && extra > 0 {
			rt.Fatalf("got %d extra copies without a lost answer", extra)
		}
		if o.Ordered {
			checkOrder(rt, s)
		}
	})
}

// TestEngine_OrderOfRepeatedKeys: an aggregate has many messages of a key, and
// those that wait for it fill another while it is settled.
func TestEngine_OrderOfRepeatedKeys(t *testing.T) {
	for seed := range uint64(20) {
		s, books := newStream(seed, threeShards(t)), account.New()
		s.partial = 0.3
		o := options(s, books)
		o.AggregateBytes, o.Ordered, o.MaxRecords = 200, true, 1
		if sum, err := deliver(t, o, numbered(600, 3)); err != nil || sum.Acknowledged != 600 {
			t.Fatalf("seed %d: got %d acknowledged, %v, want 600", seed, sum.Acknowledged, err)
		}
		checkOrder(t, s)
	}
}

// checkOrder fails when the first copies of a key's messages are out of order.
func checkOrder(t rapid.TB, s *stream) {
	t.Helper()
	for key, stored := range s.keys {
		var firsts []int64
		for _, position := range stored {
			if !slices.Contains(firsts, position) {
				firsts = append(firsts, position)
			}
		}
		if !slices.IsSorted(firsts) {
			t.Fatalf("%s is stored in the order %v", key, firsts)
		}
	}
}

// reshard makes the three shards others, more or fewer, before the given request.
// The first readings of them fail.
func reshard(t *testing.T, s *stream, o *delivery.Options, at, number, failures int) {
	t.Helper()
	after := evenShards(t, number, 3)
	var open, closed []shards.Range
	for i := range 3 {
		r, _ := s.shards.Range(s.shards.ID(i))
		closed = append(closed, r)
	}
	for i := range number {
		r, _ := after.Range(after.ID(i))
		open = append(open, r)
	}
	both, err := shards.NewMap(open, closed)
	if err != nil {
		t.Fatal(err)
	}
	s.on = func(call int, _ []record.Record) error {
		if call == at {
			s.shards = both
		}
		return nil
	}
	o.Refresh = func(context.Context) (*shards.Map, error) {
		if failures--; failures >= 0 {
			return nil, errors.New("shards are being divided")
		}
		return both, nil
	}
}
