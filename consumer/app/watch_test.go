package app_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/app"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/handler"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/dispatch"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/keepertest"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/metrics"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/reader"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/shard"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/task"
)

// shardOf is a Reader that reads once a second what a test says.
type shardOf struct {
	records atomic.Int64 // in each answer
	fails   atomic.Bool  // no answers at all
	block   atomic.Bool  // the handler does not return
}

func (s *shardOf) Run(ctx context.Context, _ contract.Grant, sink reader.Sink) ([]contract.ChildShard, error) {
	for n := 1; ; {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Second):
		}
		if s.fails.Load() {
			continue
		}
		b := &reader.Batch{Next: "next"}
		for range s.records.Load() {
			b.Records = append(b.Records, reader.Record{Sequence: strconv.Itoa(n), PartitionKey: strconv.Itoa(n), Arrived: time.Now()})
			n++
		}
		if err := sink.Accept(ctx, b, func() {}); err != nil {
			return nil, err
		}
	}
}

func (s *shardOf) process(ctx context.Context, _ []handler.Message, done func([]int)) {
	for s.block.Load() {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
	done(nil)
}

func (s *shardOf) task(keeper *keepertest.Keeper) *task.Task {
	d := dispatch.New(dispatch.Options{Process: s.process, Limit: 10, BatchSize: 1, Queue: 1000, ShardQueue: 1000})
	return task.New(task.Options{
		Keeper: keeper, Shards: shard.Deps{Dispatcher: d, Reader: s, Observer: metrics.New(), Log: zerolog.Nop()},
		DrainTimeout: time.Second, Log: zerolog.Nop(),
	})
}

// TestWatch follows a shard through idleness, work, a stuck handler and a stream
// that cannot be read, with a stall timeout of a minute.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, keeper := &shardOf{}, keepertest.New("w/1", 6*time.Second)
		keeper.Grant(contract.Grant{Stream: "test", Shard: "s", Generation: 1})
		tk := s.task(keeper)
		w := app.NewWatch(tk, time.Minute, time.Second)
		if err := w.Ready(); err == nil || !strings.Contains(err.Error(), "not answered yet") {
			t.Errorf("got %v before the first answer", err)
		}
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- tk.Run(ctx) }()
		want := func(what string, after time.Duration, reason string) {
			t.Helper()
			for range int(after / time.Second) {
				time.Sleep(time.Second)
				w.Look()
			}
			err := w.Ready()
			if (reason == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), reason) {
				t.Errorf("%s, %s: got %v, want %q", what, after, err, reason)
			}
			if err := w.Live(); err != nil {
				t.Errorf("%s: got %v, want it alive", what, err)
			}
		}
		want("idle", 10*time.Minute, "")
		s.records.Store(3)
		want("at work", 10*time.Minute, "")
		s.block.Store(true)
		want("stuck", 50*time.Second, "")
		want("stuck", 15*time.Second, "1 shards stand still")
		s.block.Store(false)
		want("at work again", 3*time.Second, "")
		s.records.Store(0)
		s.fails.Store(true)
		want("cannot be read", 55*time.Second, "")
		want("cannot be read", 20*time.Second, "1 shards stand still")
		s.fails.Store(false)
		want("read again", 3*time.Second, "")
		keeper.Down(true)
		want("leasekeeper is away", 15*time.Second, "leasekeeper has not answered")
		keeper.Down(false)
		want("leasekeeper is back", 5*time.Second, "")
		time.Sleep(time.Minute)
		if err := w.Live(); err == nil {
			t.Error("alive though the watch stands still")
		}
		stop()
		if err := <-ended; err != nil && !errors.Is(err, task.ErrUnfinished) {
			t.Error(err)
		}
		time.Sleep(time.Minute) // goroutines that wait for batches end
	})
}

// TestShardMetrics has series for each shard, and for a hundred at most: the same
// ones whenever somebody looks, or in time there would be series for all of them.
func TestShardMetrics(t *testing.T) {
	for granted, want := range map[int]int{3: 6, 150: 200} {
		synctest.Test(t, func(t *testing.T) {
			s, keeper := &shardOf{}, keepertest.New("w/1", 6*time.Second)
			var grants []contract.Grant
			for i := range granted {
				grants = append(grants, contract.Grant{Stream: "test", Shard: strconv.Itoa(i), Generation: int64(i)})
			}
			keeper.Grant(grants...)
			tk := s.task(keeper)
			ctx, stop := context.WithCancel(context.Background())
			ended := make(chan error, 1)
			go func() { ended <- tk.Run(ctx) }()
			time.Sleep(5 * time.Second)
			m := app.NewShardMetrics(tk)
			first := series(t, m)
			if len(first) != want {
				t.Errorf("got %d series of %d shards, want %d", len(first), granted, want)
			}
			if again := series(t, m); !maps.Equal(first, again) {
				t.Errorf("%d shards: the series are others at the second look", granted)
			}
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			time.Sleep(time.Minute)
		})
	}
}

// series returns the names and labels of what is collected.
func series(t *testing.T, m prometheus.Collector) map[string]bool {
	t.Helper()
	c := make(chan prometheus.Metric, 1000)
	m.Collect(c)
	close(c)
	all := map[string]bool{}
	for metric := range c {
		var d dto.Metric
		if err := metric.Write(&d); err != nil {
			t.Fatal(err)
		}
		all[fmt.Sprint(metric.Desc(), d.GetLabel())] = true
	}
	return all
}
