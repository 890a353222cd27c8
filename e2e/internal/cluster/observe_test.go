package cluster

import (
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/view"
)

// TestPicture_shown: no shard that is read looks as if nobody had it, and a
// handover is told from a fault.
func TestPicture_shown(t *testing.T) {
	const shard = "shardId-000000000000"
	tasks := map[string]string{"w1": "task1", "w2": "task2"}
	for name, tc := range map[string]struct {
		lease  Lease // as the first task sees it
		own    []Status
		reader string
		read   int
		want   view.Shard
	}{
		"its holder knows better": {
			lease: Lease{Owner: "w2", State: "unowned", Generation: 3}, read: 7,
			own:  []Status{{Worker: "w2", Leases: []Lease{{Shard: shard, Owner: "w2", State: "held", Generation: 3, LagMS: 40}}}},
			want: view.Shard{Owner: "task2", State: "held", Generation: 3, Lag: 40 * time.Millisecond, Read: 7},
		},
		"the newer holder knows better": {
			lease: Lease{Owner: "w1", State: "draining", Generation: 3}, read: 7,
			own: []Status{
				{Worker: "w2", Leases: []Lease{{Shard: shard, Owner: "w2", State: "held", Generation: 4}}},
				{Worker: "w1", Leases: []Lease{{Shard: shard, Owner: "w1", State: "draining", Generation: 3}}},
			},
			want: view.Shard{Owner: "task2", State: "held", Generation: 4, Read: 7},
		},
		"what a task says of another's lease does not count": {
			lease: Lease{Owner: "w2", State: "unowned", Generation: 4}, read: 7,
			own:  []Status{{Worker: "w1", Leases: []Lease{{Shard: shard, Owner: "w2", State: "held", Generation: 9}}}},
			want: view.Shard{Owner: "task2", State: "unowned", Generation: 4, Read: 7},
		},
		"handed over":     {lease: Lease{Owner: "w1", State: "draining"}, reader: "task1", read: 7, want: view.Shard{Owner: "task1", State: "moving", Read: 7}},
		"read already":    {lease: Lease{State: "unowned"}, reader: "task2", read: 7, want: view.Shard{Owner: "task2", State: "held", Read: 7}},
		"not yet read":    {lease: Lease{State: "unowned"}, want: view.Shard{State: "starting"}},
		"nobody has it":   {lease: Lease{State: "unowned"}, read: 7, want: view.Shard{State: "unowned", Read: 7}},
		"for its parents": {lease: Lease{State: "waiting"}, want: view.Shard{State: "waiting"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := Picture{Tasks: tasks, Own: map[string]Lease{}}
			for _, s := range tc.own {
				p.own(&s)
			}
			tc.lease.Shard, tc.want.Name = shard, shard
			if got := p.shown(tc.lease, tc.reader, tc.read); got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}
