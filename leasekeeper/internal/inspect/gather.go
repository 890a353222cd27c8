package inspect

import (
	"context"
	"fmt"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/retry"
)

// Executor makes one attempt at a read of the tables or the stream.
type Executor func(context.Context, lease.Op) lease.Answer

// Watch is what is looked at, and how.
type Watch struct {
	Execute            Executor
	Open               func(error) bool // whether asking again may help
	Stream             string
	Duration           time.Duration // D, where no worker's row tells it
	CheckpointInterval time.Duration
}

// Gather takes two looks, and lists the stream's shards in between. They are
// longer apart than a heartbeat, by the longest D that a row tells, and longer
// than a checkpoint interval. It only reads, and gives up with ctx.
func (w *Watch) Gather(ctx context.Context) (Report, error) {
	first, err := w.look(ctx)
	if err != nil {
		return Report{}, err
	}
	began := time.Now()
	listed, err := w.read(ctx, lease.ListShards{})
	if err != nil {
		return Report{}, err
	}
	select {
	case <-ctx.Done():
		return Report{}, fmt.Errorf("inspect: %w", ctx.Err())
	case <-time.After(Apart(w.duration(first.Workers), w.CheckpointInterval) - time.Since(began)):
	}
	second, err := w.look(ctx)
	if err != nil {
		return Report{}, err
	}
	return Build(first, second, listed.Listing, w.Stream, time.Now()), nil
}

// Apart is how long passes between two looks at a fleet: more than a heartbeat,
// a quarter of its lease duration, and more than a checkpoint interval.
func Apart(duration, checkpointInterval time.Duration) time.Duration {
	return duration/4 + max(duration/4, checkpointInterval)
}

// duration is the longest D of the workers that may live.
func (w *Watch) duration(workers []*lease.Worker) time.Duration {
	longest := time.Duration(0)
	for _, k := range workers {
		if k.State != lease.Evicted {
			longest = max(longest, k.ValidDuration())
		}
	}
	if longest == 0 {
		return w.Duration
	}
	return longest
}

// look reads the workers last: whoever holds a lease by the first read has told
// so in the second.
func (w *Watch) look(ctx context.Context) (Look, error) {
	leases, err := w.read(ctx, lease.ScanLeases{})
	if err != nil {
		return Look{}, err
	}
	workers, err := w.read(ctx, lease.ScanWorkers{})
	if err != nil {
		return Look{}, err
	}
	return Look{Workers: workers.Workers, Leases: leases.Leases, Stream: workers.Stream}, nil
}

func (w *Watch) read(ctx context.Context, op lease.Op) (lease.Answer, error) {
	return retry.Read(ctx, w.Execute, w.Open, op)
}
