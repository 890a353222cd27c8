package demo

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/proc"
)

// scenario kills a task that reads, measures how long its shards go unread, and
// lets a new task join. It returns the failover time.
func (d *demo) scenario(ctx context.Context, producer *proc.Process) (time.Duration, error) {
	if err := d.underWay(ctx); err != nil {
		return 0, err
	}
	victim, shards := d.victim(ctx)
	if victim == nil {
		return 0, errors.New("no task reads a shard")
	}
	if !producer.Running() {
		return 0, errors.New("producer ended before the kill: nothing was in flight")
	}
	killed := time.Now()
	victim.Kill()
	d.screen.Event("KILLED %s (SIGKILL), which read %s", victim.Name, strings.Join(shards, ", "))
	joined := make(chan error, 1)
	go func() {
		t, err := d.cluster.AddTask(ctx)
		if err == nil {
			d.screen.Event("%s joined", t.Name)
		}
		joined <- err
	}()
	taken, err := d.cluster.WaitTakeover(ctx, victim, killed, shards, failoverTimeout)
	if joinErr := <-joined; err == nil {
		err = joinErr
	}
	if err != nil {
		return 0, err
	}
	failover := cluster.Slowest(taken)
	for _, t := range taken {
		d.screen.Event("%s read again by %s after %d ms", t.Shard, strings.TrimSuffix(t.By, "-consumer"), t.After.Milliseconds())
	}
	return failover, d.finish(ctx, producer)
}

// underWay waits until every shard is read and a fifth of the messages was, and
// then, for a while at most, until the shards are spread over all tasks.
func (d *demo) underWay(ctx context.Context) error {
	err := cluster.Until(ctx, readTimeout, "every shard is read", func() bool {
		read := 0
		for _, n := range d.cluster.Tap.Delivered() {
			read += n
		}
		return len(d.cluster.Readers(freshRead)) == 3 && read >= d.Messages/5
	})
	if err != nil {
		return err
	}
	balanced := cluster.Until(ctx, balanceTimeout, "each task reads a shard", func() bool {
		read := 0
		for _, n := range d.cluster.Tap.Delivered() {
			read += n
		}
		return len(readers(d.cluster.Readers(freshRead))) == 3 || read >= d.Messages*3/5
	})
	if ctx.Err() != nil {
		return balanced
	}
	return nil // unbalanced is fine too: a task that reads is killed either way
}

// victim is the task that reads most shards, the last of equals. A shard counts
// if the task reads it and says that it holds it: not one that just moves away.
func (d *demo) victim(ctx context.Context) (*cluster.Task, []string) {
	var victim *cluster.Task
	var shards []string
	for _, t := range d.cluster.Tasks() {
		held, err := t.Held(ctx)
		if err != nil {
			continue
		}
		reads := both(d.cluster.ReadBy(t, freshRead), held)
		if len(reads) > 0 && len(reads) >= len(shards) {
			victim, shards = t, reads
		}
	}
	return victim, shards
}

func both(a, b []string) []string {
	var out []string
	for _, s := range a {
		if slices.Contains(b, s) {
			out = append(out, s)
		}
	}
	return out
}

func readers(byShard map[string]string) map[string]bool {
	out := map[string]bool{}
	for _, task := range byShard {
		out[task] = true
	}
	return out
}
