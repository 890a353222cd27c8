package reader_test

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/budget"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/reader"
)

// TestFanout_Share has a shard in each of whose events is a message that takes
// long, and another one beside it, which is read on: no shard takes the whole
// budget.
func TestFanout_Share(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		event := func(_, n int) (*reader.Batch, error) {
			b := one(n)
			b.Next, b.Cost = strconv.Itoa(n), 1<<20
			return b, nil
		}
		shared := budget.New(64 << 20)
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
		defer cancel()
		stuck, other := &sink{keep: -1}, &sink{}
		var all sync.WaitGroup
		for _, s := range []*sink{stuck, other} {
			k := &kinesis{event: event}
			f := reader.NewFanout(k, &reader.Polling{Source: k, Budget: shared, Observer: s, Log: zerolog.Nop()})
			all.Go(func() { _, _ = f.Run(ctx, contract.Grant{Shard: "a"}, s) })
		}
		all.Wait()
		if n := len(stuck.got()); n < 10 || n > 28 {
			t.Errorf("got %d events of the shard whose messages take long, want some, but not more than 28 MiB", n)
		}
		if n := len(other.got()); n < 200 {
			t.Errorf("got %d events of the other shard in 4 minutes, want one a second", n)
		}
	})
}

// TestFanout_ShareWhilePolling has no subscription for an hour, and is polled
// again and again: the shard holds no more than with one.
func TestFanout_ShareWhilePolling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := budget.New(256 << 20)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		s := &source{answer: func(_ string, n int) (*reader.Batch, error) {
			b := one(n)
			b.Cost = 1 << 20
			return b, nil
		}}
		k := &sink{keep: -1}
		f := reader.NewFanout(refusing{}, &reader.Polling{
			Source: s, Budget: shared, Observer: k, Log: zerolog.Nop(), Pace: reader.Pace{CallsPerSecond: 0.1, MaxWait: time.Minute},
		})
		f.GiveUp = 1
		_, _ = f.Run(ctx, contract.Grant{Shard: "a"}, k)
		if used := shared.Used(); used < 10<<20 || used > 28<<20 {
			t.Errorf("got %d MiB held of %d answers, want some, but not more than 28", used>>20, s.count("a"))
		}
	})
}

// refusing is a Subscriber that has no subscription to give.
type refusing struct{}

func (refusing) Subscribe(context.Context, contract.Grant, reader.Start) (reader.Subscription, error) {
	return nil, reader.ErrInUse
}

// TestPolling_Share has a shard in each of whose answers, small ones, is a message
// that takes long, and another one beside it, which is read on: with the smallest
// budget there is memory for one answer of it.
func TestPolling_Share(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := budget.New(16 << 20)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		stuck, other := &sink{keep: -1}, &sink{}
		var all sync.WaitGroup
		for _, k := range []*sink{stuck, other} {
			s := &source{answer: func(_ string, n int) (*reader.Batch, error) {
				b := one(n)
				b.Cost = 11 << 10
				return b, nil
			}}
			p := &reader.Polling{Source: s, Budget: shared, Observer: k, Log: zerolog.Nop(), Pace: reader.Pace{CallsPerSecond: 4, MaxWait: time.Second}}
			all.Go(func() { _, _ = p.Run(ctx, contract.Grant{Shard: "a"}, k) })
		}
		all.Wait()
		if n := len(stuck.got()); n < 50 {
			t.Errorf("got %d answers of the shard whose messages take long, want some", n)
		}
		if n := len(other.got()); n < 3000 {
			t.Errorf("got %d answers of the other shard in an hour, want one a second", n)
		}
	})
}
