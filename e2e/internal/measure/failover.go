package measure

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
)

const (
	fresh   = 2 * time.Second
	settle  = 60 * time.Second
	stopAll = 60 * time.Second
)

// Crash is what of a task is killed.
type Crash string

// The crashes that are measured. What is left of the task is not started again:
// others have to take its shards.
const (
	WholeTask   Crash = "task"
	Leasekeeper Crash = "leasekeeper"
	Consumer    Crash = "consumer"
)

// Failovers kills what crash says of a task that reads, `runs` times, and
// returns for every shard it read how long it took, from the SIGKILL on, until
// another task's first good GetRecords on it. After each run the rest of the
// task is killed too and a new one added. The moment of each kill is random
// within one lease duration.
func Failovers(ctx context.Context, c *cluster.Cluster, crash Crash, runs int, lease time.Duration, report func(string)) (Durations, error) {
	var all Durations
	for run := range runs {
		if err := WaitOpenRead(ctx, c, settle); err != nil {
			return all, err
		}
		if err := wait(ctx, time.Duration(rand.Int64N(int64(lease)))); err != nil {
			return all, err
		}
		victim, shards := busiest(c)
		if victim == nil {
			return all, errors.New("measure failover: no task reads")
		}
		killed := time.Now()
		switch crash {
		case Leasekeeper:
			victim.Leasekeeper().Kill()
		case Consumer:
			victim.Consumer().Kill()
		default:
			victim.Kill()
		}
		taken, err := c.WaitTakeover(ctx, victim, killed, shards, settle)
		if err != nil {
			return all, fmt.Errorf("run %d, %s of %s: %w", run+1, crash, victim.Name, err)
		}
		for _, t := range taken {
			all = append(all, t.After)
		}
		report(fmt.Sprintf("run %d: %s of %s killed, %d shards read again after %s", run+1, crash, victim.Name, len(shards), Text(cluster.Slowest(taken))))
		victim.Kill()
		if _, err := c.AddTask(ctx); err != nil {
			return all, err
		}
	}
	return all, nil
}

// busiest is the running task that reads most shards.
func busiest(c *cluster.Cluster) (*cluster.Task, []string) {
	var busiest *cluster.Task
	var shards []string
	for _, t := range c.Tasks() {
		if reads := c.ReadBy(t, fresh); t.Running() && len(reads) > len(shards) {
			busiest, shards = t, reads
		}
	}
	return busiest, shards
}

// wait lets time go by.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
