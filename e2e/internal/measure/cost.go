package measure

import (
	"context"
	"fmt"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
)

// Cost is what the leasekeepers of a fleet asked of DynamoDB in an hour.
type Cost struct {
	Calls, ReadUnits, WriteUnits float64
}

// HourlyCost counts for a window and scales what it counted to an hour.
func HourlyCost(ctx context.Context, c *cluster.Cluster, window time.Duration) (Cost, error) {
	if err := c.AWS.Admin.ResetCounters(ctx); err != nil {
		return Cost{}, err
	}
	began := time.Now()
	if err := wait(ctx, window); err != nil {
		return Cost{}, err
	}
	counters, err := c.AWS.Admin.Counters(ctx)
	if err != nil {
		return Cost{}, err
	}
	hours := time.Since(began).Hours()
	sum := counters.Sum("dynamodb", "-leasekeeper")
	return Cost{Calls: float64(sum.Calls) / hours, ReadUnits: sum.ReadUnits / hours, WriteUnits: sum.WriteUnits / hours}, nil
}

// kclWritesPerShard is how often a KCL with default settings writes each lease
// in an hour: it renews all of them every failoverTimeMillis/3 − 25 ms, 3.3 s.
const kclWritesPerShard = 3600 / 3.308

// KCLWrites is what a KCL fleet writes in an hour for its leases alone, by its
// documented cadence, checkpoints not counted.
func KCLWrites(shards int) float64 { return float64(shards) * kclWritesPerShard }

// WaitStill waits until no shard has changed its reader for a while.
func WaitStill(ctx context.Context, c *cluster.Cluster, quiet, timeout time.Duration) error {
	began, looked := time.Now(), time.Time{}
	return cluster.Until(ctx, timeout, fmt.Sprintf("no lease has moved for %s", quiet), func() bool {
		if time.Since(looked) < time.Second { // with many shards there is much to look at
			return false
		}
		looked = time.Now()
		return time.Since(began) >= quiet && len(c.Tap.Handoffs(time.Now().Add(-quiet))) == 0
	})
}
