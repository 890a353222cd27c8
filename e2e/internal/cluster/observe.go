package cluster

import (
	"context"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/awslocal"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/view"
)

// Observe takes the state of the cluster for a view. What cannot be had at the
// moment stays empty.
func (c *Cluster) Observe(ctx context.Context, started time.Time, target int) view.State {
	state := view.State{Elapsed: time.Since(started), Target: target}
	if counters, err := c.AWS.Admin.Counters(ctx); err == nil {
		table := counters.Tables[awslocal.MessagesTable]
		state.Stored = int(table.Puts - table.Overwrites - table.Deletes)
		state.Produced = int(counters.Sum("kinesis", "producer1").Records)
	}
	delivered := c.Tap.Delivered()
	picture, err := c.Picture(ctx)
	if err == nil {
		for _, lease := range picture.Leases {
			state.Shards = append(state.Shards, view.Shard{
				Name: lease.Shard, Owner: picture.Tasks[lease.Owner], State: lease.State, Generation: lease.Generation,
				Lag: time.Duration(lease.LagMS) * time.Millisecond, Read: delivered[lease.Shard],
			})
		}
	}
	for _, n := range delivered {
		state.Read += n
	}
	for _, t := range c.Tasks() {
		condition := "starting"
		switch keeper, consumer := t.Leasekeeper(), t.Consumer(); {
		case t.Running():
			condition = "up"
		case keeper != nil && consumer != nil:
			condition = "gone"
		}
		state.Tasks = append(state.Tasks, view.Task{Name: t.Name, Condition: condition})
	}
	return state
}
