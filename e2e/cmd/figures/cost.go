package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/measure"
)

const (
	costQuiet  = 30 * time.Second // without a move: no lease younger than 2D = 16 s moves, so none is to come
	costSettle = 5 * time.Minute
	costWindow = time.Minute
)

// cost counts what leasekeepers ask of DynamoDB, by localaws's counters. The
// fleets of one size each run side by side.
func cost(ctx context.Context, b bench) (string, error) {
	sizes := []int{3, 30, 300}
	tables, errs := make([]string, len(sizes)), make([]error, len(sizes))
	var wg sync.WaitGroup
	for i, shards := range sizes {
		wg.Go(func() { tables[i], errs[i] = b.costs(ctx, shards) })
	}
	wg.Wait()
	var s strings.Builder
	fmt.Fprintf(&s, "## Cost\n\nWhat the leasekeepers of a fleet ask of DynamoDB in an hour: counted by localaws for %s, when no lease had\n"+
		"moved for %s, and scaled to an hour. Busy is %d messages a second over all shards: what comes on top of idle\n"+
		"is checkpoints. The KCL's column is arithmetic, not a measurement: every lease is written each 3.3 s at its\n"+
		"default settings, its checkpoints not counted.\n\n"+
		"`cd e2e && go run ./cmd/figures cost`\n\n| shards | workers | load | calls/h | read units/h | write units/h | KCL writes/h |\n|---|---|---|---|---|---|---|\n",
		b.costWindow(), costQuiet, load)
	s.WriteString(strings.Join(tables, ""))
	return s.String(), errors.Join(errs...)
}

// costs are the rows of one number of shards.
func (b bench) costs(ctx context.Context, shards int) (string, error) {
	var s strings.Builder
	for _, workers := range []int{1, 3, 10} {
		idle, busy, err := b.cost(ctx, shards, workers)
		if err != nil {
			return "", fmt.Errorf("%d shards, %d workers: %w", shards, workers, err)
		}
		for _, row := range []struct {
			load string
			measure.Cost
		}{{"idle", idle}, {"busy", busy}} {
			fmt.Fprintf(&s, "| %d | %d | %s | %.0f | %.0f | %.0f | %.0f |\n", shards, workers, row.load,
				row.Calls, row.ReadUnits, row.WriteUnits, measure.KCLWrites(shards))
		}
		say(fmt.Sprintf("%d shards, %d workers: %.0f calls an hour idle, %.0f busy", shards, workers, idle.Calls, busy.Calls))
	}
	return s.String(), nil
}

func (b bench) costWindow() time.Duration {
	return time.Duration(float64(costWindow) * min(1, b.scale)).Round(time.Second)
}

// cost measures one fleet, idle and then busy.
func (b bench) cost(ctx context.Context, shards, workers int) (idle, busy measure.Cost, err error) {
	err = b.on(ctx, cluster.Options{Shards: int32(shards)}, workers, 0, func(c *cluster.Cluster) error {
		if err := measure.WaitOpenRead(ctx, c, costSettle); err != nil {
			return err
		}
		if err := measure.WaitStill(ctx, c, costQuiet, costSettle); err != nil {
			return err
		}
		var err error
		if idle, err = measure.HourlyCost(ctx, c, b.costWindow()); err != nil {
			return err
		}
		if _, err := c.StartProducer(0, load); err != nil {
			return err
		}
		if err := measure.WaitStill(ctx, c, costQuiet, costSettle); err != nil {
			return err
		}
		busy, err = measure.HourlyCost(ctx, c, b.costWindow())
		return err
	})
	return idle, busy, err
}
