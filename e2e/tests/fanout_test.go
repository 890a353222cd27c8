package e2e_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/awslocal"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
)

// TestFanout reads by subscriptions alone, through a split and the loss of a task.
func TestFanout(t *testing.T) {
	t.Parallel()
	s := start(t, cluster.Options{Lease: shortLease, Env: []string{"CONSUMER_READ_MODE=fanout"}})
	s.clockwork(awslocal.Clockwork{TransitionMS: 500, HeartbeatMS: 500})
	s.startTasks(3)
	producer := s.produce(0, 400)
	s.spread(3)
	const parent = "shardId-000000000000"
	s.split(parent)
	s.openRead()
	victim := s.Tasks()[1]
	shards := slices.DeleteFunc(s.ReadBy(victim, fresh), func(shard string) bool { return shard == parent }) // it has ended
	killed := time.Now()
	victim.Kill()
	if _, err := s.WaitTakeover(t.Context(), victim, killed, shards, patience); err != nil {
		t.Fatal(err)
	}
	s.openRead()
	if err := producer.Stop(stopTimeout); err != nil {
		t.Fatal(err)
	}
	s.verify(1)
	s.judgePauses("split")
	counters, err := s.AWS.Admin.Counters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range counters.Calls {
		if c.Operation == "GetRecords" && strings.HasSuffix(c.Client, "-consumer") {
			t.Errorf("%s polled %d times, want subscriptions alone", c.Client, c.Calls)
		}
	}
}
