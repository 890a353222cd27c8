package inspect

import (
	"context"
	"fmt"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// Executor makes one attempt at a read of the tables or the stream.
type Executor func(context.Context, lease.Op) lease.Answer

// Gather takes two looks, apart apart, and lists the stream's shards in
// between. It only reads, and gives up with ctx.
func Gather(ctx context.Context, execute Executor, apart time.Duration, stream string) (Report, error) {
	first, err := look(ctx, execute)
	if err != nil {
		return Report{}, err
	}
	began := time.Now()
	listed := execute(ctx, lease.ListShards{})
	if listed.Outcome != lease.Applied {
		return Report{}, listed.Err
	}
	select {
	case <-ctx.Done():
		return Report{}, fmt.Errorf("inspect: %w", ctx.Err())
	case <-time.After(apart - time.Since(began)):
	}
	second, err := look(ctx, execute)
	if err != nil {
		return Report{}, err
	}
	return Build(first, second, listed.Listing, stream, time.Now()), nil
}

// look reads the workers last: whoever holds a lease by the first read has told
// so in the second.
func look(ctx context.Context, execute Executor) (Look, error) {
	leases := execute(ctx, lease.ScanLeases{})
	if leases.Outcome != lease.Applied {
		return Look{}, leases.Err
	}
	workers := execute(ctx, lease.ScanWorkers{})
	if workers.Outcome != lease.Applied {
		return Look{}, workers.Err
	}
	return Look{Workers: workers.Workers, Leases: leases.Leases, Stream: workers.Stream}, nil
}
