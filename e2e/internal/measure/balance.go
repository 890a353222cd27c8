package measure

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/tap"
)

// Balance is how a fleet came to be balanced whose tasks were started at once,
// one value a run.
type Balance struct {
	Near   Durations // from the start until no task read more than its share and one more
	Even   Durations // from the start until no two tasks differed by more than one
	Unread Durations // the longest that a shard was not read, once it was
	Moves  int       // changes of reader, of all runs
}

// Start starts tasks at once on a cluster that has none yet, waits until they
// read evenly, and adds what it saw.
func (b *Balance) Start(ctx context.Context, c *cluster.Cluster, tasks int) error {
	open, err := Open(ctx, c)
	if err != nil {
		return err
	}
	began := time.Now()
	if _, err := c.AddTasks(ctx, tasks); err != nil {
		return err
	}
	err = cluster.Until(ctx, 4*settle, "the tasks read evenly", func() bool {
		per, readers := map[string]int{}, c.Readers(fresh)
		for _, task := range readers {
			per[task]++
		}
		return len(readers) == len(open) && spreadOf(per, tasks) <= 1
	})
	if err != nil {
		return err
	}
	near, even := evened(c.Tap.Reads(began), len(open), tasks)
	b.Near, b.Even = append(b.Near, near.Sub(began)), append(b.Even, even.Sub(began))
	b.Moves += len(c.Tap.Handoffs(began))
	longest := time.Duration(0)
	for shard, first := range c.Tap.FirstReads() {
		longest = max(longest, c.Tap.LongestGap(first.Sent, time.Now(), []string{shard})[shard])
	}
	b.Unread = append(b.Unread, longest)
	return nil
}

// evened goes through the reads, in order of time, and returns when they
// became, for good, near to even and even.
func evened(reads []tap.Read, shards, tasks int) (near, even time.Time) {
	by, per := map[string]string{}, map[string]int{}
	wasNear, wasEven := false, false
	for _, r := range reads {
		task, _, _ := strings.Cut(r.Client, "-")
		if !r.OK || by[r.Shard] == task {
			continue
		}
		if by[r.Shard] != "" {
			per[by[r.Shard]]--
		}
		by[r.Shard] = task
		per[task]++
		all, most := len(by) == shards, 0
		for _, n := range per {
			most = max(most, n)
		}
		isNear, isEven := all && most <= (shards+tasks-1)/tasks+1, all && spreadOf(per, tasks) <= 1
		if isNear && !wasNear {
			near = r.Done
		}
		if isEven && !wasEven {
			even = r.Done
		}
		wasNear, wasEven = isNear, isEven
	}
	return near, even
}

// spreadOf is the most that a task has less the least.
func spreadOf(per map[string]int, tasks int) int {
	most, least := 0, 0
	if len(per) >= tasks {
		least = 1 << 30
	}
	for _, n := range per {
		most, least = max(most, n), min(least, n)
	}
	return most - least
}

// String is the cells of a Markdown table: n, the median and the longest of
// each, and the moves of a run.
func (b *Balance) String() string {
	cells := []string{fmt.Sprint(len(b.Even))}
	for _, d := range []Durations{b.Near, b.Even, b.Unread} {
		cells = append(cells, Text(d.Quantile(0.5)), Text(d.Max()))
	}
	return strings.Join(append(cells, fmt.Sprintf("%.1f", float64(b.Moves)/float64(max(1, len(b.Even))))), " | ")
}
