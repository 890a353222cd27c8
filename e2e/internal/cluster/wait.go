package cluster

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/tap"
)

// Until asks every 50 ms until ok, or until ctx ends or the timeout is over;
// then the error says what was waited for.
func Until(ctx context.Context, timeout time.Duration, what string, ok func() bool) error {
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		if ok() {
			return nil
		}
		select {
		case <-ticker.C:
		case <-deadline.C:
			return fmt.Errorf("wait %s until %s: %w", timeout, what, context.DeadlineExceeded)
		case <-ctx.Done():
			return fmt.Errorf("wait until %s: %w", what, ctx.Err())
		}
	}
}

// Readers returns who reads each shard: the task of the last good read, if
// that was not longer ago than fresh.
func (c *Cluster) Readers(fresh time.Duration) map[string]string {
	out := map[string]string{}
	oldest := time.Now().Add(-fresh)
	for shard, read := range c.Tap.LastReads() {
		if read.Done.After(oldest) {
			task, _, _ := strings.Cut(read.Client, "-")
			out[shard] = task
		}
	}
	return out
}

// ReadBy returns the shards a task reads.
func (c *Cluster) ReadBy(t *Task, fresh time.Duration) []string {
	var out []string
	for shard, task := range c.Readers(fresh) {
		if task == t.Name {
			out = append(out, shard)
		}
	}
	return out
}

// WaitTakeover waits until every one of the shards is read by another task than
// t, and returns the first good read of each, measured from moment.
func (c *Cluster) WaitTakeover(ctx context.Context, t *Task, moment time.Time, shards []string, timeout time.Duration) (map[string]tap.Takeover, error) {
	var taken map[string]tap.Takeover
	err := Until(ctx, timeout, "others read "+strings.Join(shards, ", "), func() bool {
		taken = c.Tap.Takeovers(moment, t.Name+"-", shards)
		return len(taken) == len(shards)
	})
	return taken, err
}

// Slowest is the longest of some takeovers.
func Slowest(taken map[string]tap.Takeover) time.Duration {
	var longest time.Duration
	for _, t := range taken {
		longest = max(longest, t.After)
	}
	return longest
}
