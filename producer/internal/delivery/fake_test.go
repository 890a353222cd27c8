package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/account"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/aggregate"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/delivery"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/message"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/put"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/record"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/shards"
)

// stream is a Kinesis stream that misbehaves at given rates. Like the real one
// it promises no order within a request.
type stream struct {
	partial, throttle, lost, dropped, refused float64
	latency                                   time.Duration

	mu       sync.Mutex
	random   *rand.Rand
	shards   *shards.Map
	keys     map[string][]int64 // positions as stored, by key
	copies   map[int64]int      // how often each position was stored where consumers find it
	flights  int
	most     int // flights at a time
	requests int
	largest  int // records in a request
	heaviest int // bytes of a request of several
	record   int // bytes of the largest record, as encoded
	wrong    int // messages stored outside of their shard
	on       func(call int, records []record.Record) error
}

func newStream(seed uint64, m *shards.Map) *stream {
	return &stream{random: rand.New(rand.NewPCG(seed, 1)), shards: m, keys: map[string][]int64{}, copies: map[int64]int{}, latency: 10 * time.Millisecond}
}

func (s *stream) Put(ctx context.Context, records []record.Record) ([]record.Outcome, error) {
	s.mu.Lock()
	s.requests++
	call := s.requests
	s.flights++
	s.most, s.largest = max(s.most, s.flights), max(s.largest, len(records))
	if size := sizeOf(records); len(records) > 1 {
		s.heaviest = max(s.heaviest, size)
	}
	wait := time.Duration(s.random.Float64() * float64(s.latency) * 2)
	s.mu.Unlock()
	select {
	case <-time.After(wait):
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flights--
	if ctx.Err() != nil {
		return nil, &put.Error{Kind: put.Lost, Code: "Timeout", Err: ctx.Err()}
	}
	if s.on != nil {
		if err := s.on(call, records); err != nil {
			return nil, err
		}
	}
	switch draw := s.random.Float64(); {
	case draw < s.dropped:
		return nil, &put.Error{Kind: put.Lost, Code: "ConnectionLost", Err: errors.New("dropped")}
	case draw < s.dropped+s.refused:
		return nil, &put.Error{Kind: put.Throttled, Code: "LimitExceededException", Err: errors.New("slow down")}
	case draw < s.dropped+s.refused+s.lost:
		s.store(records)
		return nil, &put.Error{Kind: put.Lost, Code: "ConnectionLost", Err: errors.New("lost")}
	}
	return s.store(records), nil
}

func sizeOf(records []record.Record) (size int) {
	for i := range records {
		size += records[i].Size
	}
	return size
}

func (s *stream) store(records []record.Record) []record.Outcome {
	outcomes := make([]record.Outcome, len(records))
	for _, i := range s.random.Perm(len(records)) {
		r := records[i]
		if r.Many != nil {
			s.record = max(s.record, len(r.Many[0].Key)+len(aggregate.Encode(r.Many)))
		}
		switch draw := s.random.Float64(); {
		case draw < s.partial:
			outcomes[i].Code = "InternalFailure"
			continue
		case draw < s.partial+s.throttle:
			outcomes[i].Code = "ProvisionedThroughputExceededException"
			continue
		}
		shard := s.shards.Find(r.Hash)
		outcomes[i].Shard = s.shards.ID(shard)
		r.Each(func(m message.Message) {
			if s.shards.Find(shards.HashOf(m.Key)) != shard {
				s.wrong++
				return // a consumer drops it
			}
			s.copies[m.Position]++
			s.keys[m.Key] = append(s.keys[m.Key], m.Position)
		})
	}
	return outcomes
}

// threeShards divides the hash keys as Kinesis does for three shards.
func threeShards(t *testing.T) *shards.Map { return evenShards(t, 3, 0) }

// evenShards makes n shards with ids from first on.
func evenShards(t testing.TB, n, first int) *shards.Map {
	t.Helper()
	var open []shards.Range
	const whole = ^uint64(0)
	for i := range n {
		r := shards.Range{ID: fmt.Sprintf("shardId-%012d", first+i), Start: shards.Hash{Hi: whole / uint64(n) * uint64(i)}, End: shards.Hash{Hi: whole/uint64(n)*uint64(i+1) - 1, Lo: whole}}
		if i == n-1 {
			r.End = shards.Hash{Hi: whole, Lo: whole}
		}
		open = append(open, r)
	}
	m, err := shards.NewMap(open, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func options(s *stream, books *account.Account) delivery.Options {
	return delivery.Options{
		Linger: 20 * time.Millisecond, AttemptTimeout: time.Second, Concurrency: 4,
		MaxRecords: 50, MaxBytes: 1 << 20, MaxBuffered: 1 << 20,
		Put: s, Shards: s.shards, Account: books, Log: zerolog.Nop(), Jitter: s.jitter,
	}
}

func (s *stream) jitter() float64 { return 0.5 }

// deliver submits the messages and waits for the end, in a bubble of its own
// time, and for an hour of that at most: what is left then has failed. It returns
// the account and how long it took.
func deliver(t *testing.T, o delivery.Options, messages []message.Message) (account.Summary, error) {
	t.Helper()
	var summary account.Summary
	var runErr error
	synctest.Test(t, func(t *testing.T) {
		started := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		e := delivery.New(o)
		done := make(chan error, 1)
		go func() { done <- e.Run(ctx) }()
		for _, m := range messages {
			if err := e.Submit(ctx, m); err != nil {
				break
			}
		}
		e.Close()
		runErr = <-done
		summary = o.Account.Summarize(time.Since(started))
	})
	return summary, runErr
}

// numbered makes n messages over the given number of keys.
func numbered(n, keys int) []message.Message {
	messages := make([]message.Message, n)
	for i := range messages {
		messages[i] = message.Message{Data: []byte(fmt.Sprintf("message %d", i)), Key: fmt.Sprintf("key %d", i%keys), Position: int64(i)}
	}
	return messages
}
