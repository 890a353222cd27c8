package delivery_test

import (
	"context"
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
