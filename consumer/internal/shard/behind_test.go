package shard_test

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/handler"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/budget"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/dispatch"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/metrics"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/reader"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/shard"
)

// endless is a reader.Source with ten messages of 1 KiB in each answer.
type endless struct{ answers int }

func (e *endless) Iterator(context.Context, contract.Grant, reader.Start) (string, error) {
	return "first", nil
}

func (e *endless) Records(context.Context, contract.Grant, string) (*reader.Batch, error) {
	b := &reader.Batch{Next: "next", Cost: 11 << 10, Payload: 10 << 10}
	for i := range 10 {
		n := strconv.Itoa(10*e.answers + i)
		b.Records = append(b.Records, reader.Record{Sequence: n, PartitionKey: n, Arrived: time.Now()})
	}
	e.answers++
	return b, nil
}

// TestShard_ManyStuck has a message that takes long in each of the first answers:
// those behind them are handled, and with two as well as with one.
func TestShard_ManyStuck(t *testing.T) {
	for _, stuck := range []int{1, 2, 20} {
		synctest.Test(t, func(t *testing.T) {
			var done atomic.Int64
			process := func(ctx context.Context, batch []handler.Message, finish func([]int)) {
				if n, _ := strconv.Atoi(batch[0].Sequence); n%10 == 0 && n < 10*stuck {
					<-ctx.Done()
					return
				}
				done.Add(1)
				finish(nil)
			}
			d := dispatch.New(dispatch.Options{Process: process, Limit: 100, BatchSize: 1, Queue: 10_000, ShardQueue: 1000, Unfinished: 1_000_000})
			polling := &reader.Polling{
				Source: &endless{}, Budget: budget.New(128 << 20), Observer: metrics.New(), Log: zerolog.Nop(),
				Pace: reader.Pace{CallsPerSecond: 4, MaxWait: time.Second},
			}
			ended := make(chan shard.Outcome, 1)
			s := shard.Start(t.Context(), shard.Deps{Dispatcher: d, Reader: polling, Observer: metrics.New(), Log: zerolog.Nop()},
				contract.Grant{Shard: "s", Start: contract.Start{Type: contract.TrimHorizon}}, time.Now().Add(time.Hour), func(o shard.Outcome) { ended <- o })
			time.Sleep(time.Minute)
			if n := done.Load(); n < 2000 { // of some 2300
				t.Errorf("%d messages were handled in a minute with %d that take long", n, stuck)
			}
			s.Stop()
			time.Sleep(2 * time.Hour) // the grant ends, and what takes long with it
			<-ended
		})
	}
}
