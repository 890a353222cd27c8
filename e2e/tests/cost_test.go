package e2e_test

import (
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/measure"
)

// TestCost_Idle counts what an idle fleet asks of DynamoDB: it must not depend
// on how many shards there are. (Read units do a little: the lease table is read
// once a minute.)
func TestCost_Idle(t *testing.T) {
	t.Parallel()
	few, many := idleCost(t, 3), idleCost(t, 60)
	t.Logf("an hour: %+.0f with 3 shards, %+.0f with 60", few, many)
	if many.Calls > few.Calls*1.25 || many.WriteUnits > few.WriteUnits*1.25 {
		t.Errorf("got %+.0f an hour with 60 shards and %+.0f with 3, want no more", many, few)
	}
}

func idleCost(t *testing.T, shards int32) measure.Cost {
	t.Helper()
	s := start(t, cluster.Options{Shards: shards, Lease: shortLease})
	s.stop() // its samples would be counted for nobody, but take time
	if _, err := s.AddTask(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := measure.WaitOpenRead(t.Context(), s.Cluster, patience); err != nil {
		t.Fatal(err)
	}
	cost, err := measure.HourlyCost(t.Context(), s.Cluster, 4*shortLease)
	if err != nil || cost.Calls == 0 {
		t.Fatalf("got %+v, %v, want calls", cost, err)
	}
	return cost
}
