package measure

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/awslocal"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
)

// Moves is what a scaling or a deployment cost.
type Moves struct {
	Gaps       Durations // last read of the old task to first read of the new
	Unread     Durations // longest time without a read, for each shard
	Overwrites int64     // messages handled twice
	Took       Durations // SIGTERM to exit, for each task that left
}

// Scale goes from one task to three and back to one, `rounds` times. The
// cluster must have one task that reads everything.
func Scale(ctx context.Context, c *cluster.Cluster, rounds int, report func(string)) (Moves, error) {
	return moves(ctx, c, func() error { return WaitOpenRead(ctx, c, settle) }, func(m *Moves) error {
		for round := range rounds {
			if _, err := c.AddTasks(ctx, 2); err != nil {
				return err
			}
			if err := spread(ctx, c, 3); err != nil {
				return err
			}
			if err := leave(m, running(c)[:2]); err != nil {
				return err
			}
			if err := spread(ctx, c, 1); err != nil {
				return err
			}
			report(fmt.Sprintf("round %d: 1 to 3 to 1", round+1))
		}
		return nil
	})
}

// Deploy replaces every task, a new one first, `rounds` times.
func Deploy(ctx context.Context, c *cluster.Cluster, rounds int, report func(string)) (Moves, error) {
	return moves(ctx, c, func() error { return WaitOpenRead(ctx, c, settle) }, func(m *Moves) error {
		for round := range rounds {
			for _, old := range running(c) {
				if err := replace(ctx, c, m, old); err != nil {
					return err
				}
			}
			report(fmt.Sprintf("round %d: every task replaced", round+1))
		}
		return nil
	})
}

// Replace replaces all tasks at once, `rounds` times: as many new ones are
// started and, when all are ready, the old ones stopped together.
func Replace(ctx context.Context, c *cluster.Cluster, rounds int, report func(string)) (Moves, error) {
	return moves(ctx, c, func() error { return WaitOpenRead(ctx, c, settle) }, func(m *Moves) error {
		for round := range rounds {
			old := running(c)
			fresh, err := c.AddTasks(ctx, len(old))
			if err != nil {
				return err
			}
			for _, task := range fresh {
				if err := ready(ctx, task); err != nil {
					return err
				}
			}
			if err := leaveTogether(m, old); err != nil {
				return err
			}
			if err := WaitOpenRead(ctx, c, settle); err != nil {
				return err
			}
			report(fmt.Sprintf("round %d: all tasks replaced at once", round+1))
		}
		return nil
	})
}

// leaveTogether stops the tasks at the same time.
func leaveTogether(m *Moves, tasks []*cluster.Task) error {
	parts, errs := make([]Moves, len(tasks)), make([]error, len(tasks))
	var all sync.WaitGroup
	for i, task := range tasks {
		all.Go(func() { errs[i] = leave(&parts[i], []*cluster.Task{task}) })
	}
	all.Wait()
	for _, part := range parts {
		m.Took = append(m.Took, part.Took...)
	}
	return errors.Join(errs...)
}

// moves measures what do does, from the moment that all shards are read until
// they are again.
func moves(ctx context.Context, c *cluster.Cluster, allRead func() error, do func(*Moves) error) (Moves, error) {
	var m Moves
	if err := allRead(); err != nil {
		return m, err
	}
	before, err := overwrites(ctx, c)
	if err != nil {
		return m, err
	}
	began := time.Now()
	if err := do(&m); err != nil {
		return m, err
	}
	if err := allRead(); err != nil {
		return m, err
	}
	for _, h := range c.Tap.Handoffs(began) {
		m.Gaps = append(m.Gaps, h.Gap)
	}
	open, err := Open(ctx, c)
	if err != nil {
		return m, err
	}
	for _, gap := range c.Tap.LongestGap(began, time.Now(), open) {
		m.Unread = append(m.Unread, gap)
	}
	after, err := overwrites(ctx, c)
	m.Overwrites = after - before
	return m, err
}

func overwrites(ctx context.Context, c *cluster.Cluster) (int64, error) {
	counters, err := c.AWS.Admin.Counters(ctx)
	return counters.Tables[awslocal.MessagesTable].Overwrites, err
}

func replace(ctx context.Context, c *cluster.Cluster, m *Moves, old *cluster.Task) error {
	fresh, err := c.AddTask(ctx)
	if err != nil {
		return err
	}
	if err := ready(ctx, fresh); err != nil {
		return err
	}
	if err := leave(m, []*cluster.Task{old}); err != nil {
		return err
	}
	return WaitOpenRead(ctx, c, settle)
}

func ready(ctx context.Context, task *cluster.Task) error {
	return cluster.Until(ctx, settle, task.Name+" is ready", func() bool {
		status, err := task.Status(ctx)
		return err == nil && status.Ready
	})
}

func leave(m *Moves, tasks []*cluster.Task) error {
	for _, task := range tasks {
		began := time.Now()
		if err := task.Stop(stopAll); err != nil {
			return fmt.Errorf("stop %s: %w", task.Name, err)
		}
		m.Took = append(m.Took, time.Since(began))
	}
	return nil
}

func running(c *cluster.Cluster) []*cluster.Task {
	var out []*cluster.Task
	for _, t := range c.Tasks() {
		if t.Running() {
			out = append(out, t)
		}
	}
	return out
}

// spread waits until exactly n tasks read.
func spread(ctx context.Context, c *cluster.Cluster, n int) error {
	return cluster.Until(ctx, 2*settle, fmt.Sprintf("%d tasks read", n), func() bool {
		readers := map[string]bool{}
		for _, task := range c.Readers(fresh) {
			readers[task] = true
		}
		return len(readers) == n
	})
}
