package cluster

import (
	"context"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/awslocal"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/view"
)

// freshRead is how long after a read a running task still counts as the reader.
const freshRead = 2 * time.Second

// Observe takes the state of the cluster for a view. What cannot be had at the
// moment stays empty.
func (c *Cluster) Observe(ctx context.Context, started time.Time, target int) view.State {
	state := view.State{Elapsed: time.Since(started), Target: target}
	if counters, err := c.AWS.Admin.Counters(ctx); err == nil {
		table := counters.Tables[awslocal.MessagesTable]
		state.Stored = int(table.Puts - table.Overwrites - table.Deletes)
		state.Produced = int(counters.Produced())
	}
	delivered := c.Tap.Delivered()
	running := map[string]bool{}
	for _, t := range c.Tasks() {
		condition := condition(t)
		running[t.Name] = condition == "up"
		state.Tasks = append(state.Tasks, view.Task{Name: t.Name, Condition: condition})
	}
	if picture, err := c.Picture(ctx); err == nil {
		readers := c.Readers(freshRead)
		for _, lease := range picture.Leases {
			reader := readers[lease.Shard]
			if !running[reader] {
				reader = ""
			}
			state.Shards = append(state.Shards, picture.shown(lease, reader, delivered[lease.Shard]))
		}
	}
	for _, n := range delivered {
		state.Read += n
	}
	return state
}

// condition says how a task is: starting, up or gone.
func condition(t *Task) string {
	switch keeper, consumer := t.Leasekeeper(), t.Consumer(); {
	case t.Running():
		return "up"
	case keeper != nil && consumer != nil:
		return "gone"
	}
	return "starting"
}

// shown is a lease as a person is to see it. What its holder says goes before
// what another task has noticed so far, which is up to a heartbeat older, and so
// does what is seen at the tap: reader, a running task that just read the shard.
// A lease that nobody has read yet is starting, one that is handed over moving.
func (p Picture) shown(lease Lease, reader string, read int) view.Shard {
	if own, ok := p.Own[lease.Shard]; ok && own.Generation >= lease.Generation {
		lease = own
	}
	s := view.Shard{
		Name: lease.Shard, Owner: p.Tasks[lease.Owner], State: lease.State, Generation: lease.Generation,
		Lag: time.Duration(lease.LagMS) * time.Millisecond, Read: read,
	}
	switch {
	case lease.State == "draining":
		s.State = "moving"
	case lease.State == "unowned" && reader != "":
		s.Owner, s.State = reader, "held"
	case lease.State == "unowned" && read == 0:
		s.State = "starting"
	}
	return s
}
