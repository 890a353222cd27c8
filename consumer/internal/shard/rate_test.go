package shard_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/dispatch"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/reader"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/shard"
)

// quiet is a Reader of a shard that has nothing new, which is read every second
// as long as it can be.
type quiet struct {
	behindMS int64
	away     atomic.Bool
}

func (q *quiet) Run(ctx context.Context, _ contract.Grant, sink reader.Sink) ([]contract.ChildShard, error) {
	for ctx.Err() == nil {
		if !q.away.Load() {
			if err := sink.Accept(ctx, &reader.Batch{Next: "next", BehindMS: q.behindMS}, func() {}); err != nil {
				return nil, err
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	return nil, ctx.Err()
}

// TestShard_LagWhileUnread has a shard that cannot be read for a while: it is not
// as near to its newest record any more as at the last read.
func TestShard_LagWhileUnread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &quiet{behindMS: 40}
		d := dispatch.New(dispatch.Options{Limit: 1, BatchSize: 1})
		ended := make(chan shard.Outcome, 1)
		s := shard.Start(t.Context(), shard.Deps{Dispatcher: d, Reader: q, Quiet: 5 * time.Second, Observer: &observer{}, Log: zerolog.Nop()},
			contract.Grant{Shard: "s"}, time.Now().Add(24*time.Hour), func(o shard.Outcome) { ended <- o })
		want := func(what string, after time.Duration, low, high int64) {
			t.Helper()
			time.Sleep(after)
			if lag := s.Progress().LagMS; lag < low || lag > high {
				t.Errorf("%s: got a lag of %d ms, want %d to %d", what, lag, low, high)
			}
		}
		want("read", time.Minute+time.Second/2, 40, 40)
		q.away.Store(true)
		want("unread for a moment", 3*time.Second, 40, 40)
		want("unread", time.Hour, 3_600_000, 3_610_000)
		q.away.Store(false)
		want("read again", 2*time.Second, 40, 40)
		s.Stop()
		<-ended
	})
}

// TestShard_LagNeverRead has a shard that could not be read yet.
func TestShard_LagNeverRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &quiet{}
		q.away.Store(true)
		ended := make(chan shard.Outcome, 1)
		s := shard.Start(t.Context(), shard.Deps{Dispatcher: dispatch.New(dispatch.Options{Limit: 1, BatchSize: 1}), Reader: q, Quiet: 5 * time.Second, Observer: &observer{}, Log: zerolog.Nop()},
			contract.Grant{Shard: "s"}, time.Now().Add(24*time.Hour), func(o shard.Outcome) { ended <- o })
		time.Sleep(time.Hour)
		if lag := s.Progress().LagMS; lag != 3_600_000 {
			t.Errorf("got a lag of %d ms of a shard that was not read for an hour", lag)
		}
		s.Stop()
		<-ended
	})
}
