package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/measure"
)

const (
	costSettle = 30 * time.Second
	costWindow = time.Minute
)

// cost counts what leasekeepers ask of DynamoDB, by localaws's counters.
func cost(ctx context.Context, b bench) (string, error) {
	var s strings.Builder
	settle, window := b.costTimes()
	fmt.Fprintf(&s, "## Cost\n\nWhat the leasekeepers of a fleet ask of DynamoDB in an hour: counted by localaws for %s, from %s after\n"+
		"every shard was read, and scaled to an hour. Busy is 100 messages a second over all shards. The KCL's column is arithmetic, not\n"+
		"a measurement: every lease is written each 3.3 s at its default settings, checkpoints not counted.\n\n"+
		"`cd e2e && go run ./cmd/figures cost`\n\n| shards | workers | load | calls/h | read units/h | write units/h | KCL writes/h |\n|---|---|---|---|---|---|---|\n", window, settle)
	for _, shards := range []int{3, 30, 300} {
		for _, workers := range []int{1, 3, 10} {
			for _, rate := range []int{0, load} {
				counted, err := b.cost(ctx, shards, workers, rate)
				if err != nil {
					return "", fmt.Errorf("%d shards, %d workers: %w", shards, workers, err)
				}
				fmt.Fprintf(&s, "| %d | %d | %s | %.0f | %.0f | %.0f | %.0f |\n", shards, workers, name(rate),
					counted.Calls, counted.ReadUnits, counted.WriteUnits, measure.KCLWrites(shards))
				say(fmt.Sprintf("%d shards, %d workers, %s: %.0f calls an hour", shards, workers, name(rate), counted.Calls))
			}
		}
	}
	return s.String(), nil
}

// costTimes are how long to wait and how long to count.
func (b bench) costTimes() (settle, window time.Duration) {
	share := min(1, b.scale)
	return time.Duration(float64(costSettle) * share), time.Duration(float64(costWindow) * share)
}

func name(rate int) string {
	if rate == 0 {
		return "idle"
	}
	return "busy"
}

func (b bench) cost(ctx context.Context, shards, workers, rate int) (measure.Cost, error) {
	var counted measure.Cost
	settle, window := b.costTimes()
	err := b.on(ctx, cluster.Options{Shards: int32(shards)}, workers, rate, func(c *cluster.Cluster) error {
		if err := measure.WaitOpenRead(ctx, c, 5*time.Minute); err != nil {
			return err
		}
		timer := time.NewTimer(settle)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		var err error
		counted, err = measure.HourlyCost(ctx, c, window)
		return err
	})
	return counted, err
}
