package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/account"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/delivery"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/shards"
)

// TestEngine_ReshardSplitsWaiting: aggregates that wait when the shards are
// divided are taken apart; only what was sent before is sent again.
func TestEngine_ReshardSplitsWaiting(t *testing.T) {
	s, books := newStream(1, threeShards(t)), account.New()
	o := options(s, books)
	o.AggregateBytes, o.Concurrency, o.MaxRecords = 1000, 1, 1
	reshard(t, s, &o, 2, 6, 0)
	sum, err := deliver(t, o, numbered(3000, 3000))
	if err != nil || sum.Acknowledged != 3000 || len(s.copies) != 3000 {
		t.Fatalf("got %d acknowledged, %d on their shard, %v, want 3000", sum.Acknowledged, len(s.copies), err)
	}
	if s.wrong == 0 || s.wrong > 100 || sum.Resent != int64(s.wrong) || sum.MaybeDoubled != sum.Resent {
		t.Errorf("got %d on a wrong shard, %d sent again, %d perhaps doubled, want those of some requests", s.wrong, sum.Resent, sum.MaybeDoubled)
	}
}

// TestEngine_ReshardKeepsOrder: three aggregates that are being filled become
// more than one when the shards are merged; what is left over of a key waits for
// the first.
func TestEngine_ReshardKeepsOrder(t *testing.T) {
	for seed := range uint64(10) {
		s, books := newStream(seed, threeShards(t)), account.New()
		s.partial = 0.4
		o := options(s, books)
		o.AggregateBytes, o.Ordered = 1000, true
		reshard(t, s, &o, 1, 1, 0)
		read := o.Refresh
		synctest.Test(t, func(t *testing.T) {
			reading, proceed := make(chan struct{}), make(chan struct{})
			begun := sync.OnceFunc(func() { close(reading) })
			o.Refresh = func(ctx context.Context) (*shards.Map, error) {
				begun()
				<-proceed
				return read(ctx)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			e := delivery.New(o)
			done := make(chan error, 1)
			go func() { done <- e.Run(ctx) }()
			for i, m := range numbered(60, 12) {
				if i == 12 { // of another set of keys from here on
					<-reading
				}
				if i >= 12 {
					m.Key = fmt.Sprint("other ", m.Key)
				}
				if err := e.Submit(ctx, m); err != nil {
					t.Fatal(err)
				}
			}
			close(proceed)
			e.Close()
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		})
		if got := books.Now().Acknowledged; got != 60 {
			t.Fatalf("seed %d: got %d acknowledged, want 60", seed, got)
		}
		checkOrder(t, s)
	}
}

// TestEngine_ReshardNotListed: as long as the list of shards is older than the
// answers, nothing is sent again.
func TestEngine_ReshardNotListed(t *testing.T) {
	s, books := newStream(1, threeShards(t)), account.New()
	o := options(s, books)
	before := s.shards
	o.AggregateBytes, o.RetryTimeout = 1000, time.Minute
	reshard(t, s, &o, 2, 6, 0)
	read, readings := o.Refresh, 0
	o.Refresh = func(ctx context.Context) (*shards.Map, error) {
		if readings++; readings <= 5 {
			return before, nil
		}
		return read(ctx)
	}
	sum, err := deliver(t, o, numbered(3000, 3000))
	if err != nil || sum.Acknowledged != 3000 || len(s.copies) != 3000 {
		t.Fatalf("got %d acknowledged, %d on their shard, %v, want 3000", sum.Acknowledged, len(s.copies), err)
	}
	if s.wrong == 0 || sum.Resent != int64(s.wrong) {
		t.Errorf("got %d on a wrong shard, %d sent again, want those and no others", s.wrong, sum.Resent)
	}
}

// TestEngine_ReshardNeverRead: messages that are stored who knows where are given
// up in time, and what waits for their keys goes on.
func TestEngine_ReshardNeverRead(t *testing.T) {
	s, books := newStream(1, threeShards(t)), account.New()
	o := options(s, books)
	o.AggregateBytes, o.RetryTimeout, o.Ordered = 1000, time.Minute, true
	reshard(t, s, &o, 2, 6, 0)
	o.Refresh = func(context.Context) (*shards.Map, error) { return nil, errors.New("no permission") }
	sum, err := deliver(t, o, numbered(3000, 1000))
	if err != nil || sum.Failed == 0 || sum.FailedUnsure != sum.Failed || sum.Failed != sum.FailedReasons[delivery.ReasonMisplaced] || sum.Acknowledged+sum.Failed != 3000 {
		t.Errorf("got %d acknowledged, %d failed, of them %d unsure, for %v, %v, want all of 3000", sum.Acknowledged, sum.Failed, sum.FailedUnsure, sum.FailedReasons, err)
	}
	if sum.Seconds < 60 || sum.Seconds > 600 {
		t.Errorf("got %v s, want some minutes: each of a key's messages has one", sum.Seconds)
	}
}
