package e2e_test

import (
	"maps"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/awslocal"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
)

// TestNetwork runs the system on networks that are bad in one way each: nothing
// may be lost or stored twice, nothing taken away from a live worker.
func TestNetwork(t *testing.T) {
	t.Parallel()
	tests := map[string][]awslocal.Fault{
		"dynamodb slow":           {{Service: "dynamodb", Kind: "latency", LatencyMS: 100}},
		"dynamodb throttled":      {{Service: "dynamodb", Kind: "throttle", Rate: 0.1}},
		"dynamodb fails":          {{Service: "dynamodb", Kind: "error", Rate: 0.1, Status: 500, Code: "InternalServerError"}},
		"dynamodb loses answers":  {{Service: "dynamodb", Kind: "lose_response", Rate: 0.05}},
		"dynamodb leaves out":     {{Service: "dynamodb", Operation: "BatchWriteItem", Kind: "partial", Rate: 0.3}},
		"kinesis throttled":       {{Service: "kinesis", Kind: "throttle", Rate: 0.1}},
		"kinesis fails and drops": {{Service: "kinesis", Kind: "error", Rate: 0.05, Status: 500, Code: "InternalFailure"}, {Service: "kinesis", Kind: "drop", Rate: 0.05}},
		"kinesis loses answers":   {{Service: "kinesis", Kind: "lose_response", Rate: 0.05}},
	}
	s := start(t, cluster.Options{Lease: 2 * shortLease})
	s.startTasks(3)
	producer := s.produce(0, 300)
	s.spread(3)
	workers := s.workers()
	for name, faults := range tests {
		t.Run(name, func(t *testing.T) {
			before, began := s.delivered(), time.Now()
			for _, fault := range faults {
				if err := s.AWS.Admin.AddFault(t.Context(), fault); err != nil {
					t.Fatal(err)
				}
			}
			err := cluster.Until(t.Context(), patience, "400 messages went through", func() bool {
				return s.delivered() > before+400 && time.Since(began) > shortLease/2
			})
			if clear := s.AWS.Admin.ClearFaults(t.Context()); err == nil {
				err = clear
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	s.allRead()
	if after := s.workers(); !maps.Equal(workers, after) {
		t.Errorf("got workers %v, want %v: a worker lost its place although it lived", after, workers)
	}
	if err := producer.Stop(stopTimeout); err != nil {
		t.Fatal(err)
	}
	s.verify(1)
}

// TestNetwork_Outage takes DynamoDB away for several leases and gives it back:
// the fleet must read again by itself, soon, and lose nothing.
func TestNetwork_Outage(t *testing.T) {
	t.Parallel()
	outage := 3 * shortLease
	s := start(t, cluster.Options{Lease: shortLease})
	s.startTasks(3)
	producer := s.produce(0, 200)
	s.spread(3)
	s.outage(outage)
	if err := producer.Stop(stopTimeout); err != nil {
		t.Fatal(err)
	}
	s.verify(1)
}

// TestNetwork_LongOutage is a minute without DynamoDB, at default settings.
func TestNetwork_LongOutage(t *testing.T) {
	t.Parallel()
	long(t)
	s := start(t, cluster.Options{})
	s.startTasks(3)
	producer := s.produce(0, 200)
	s.outage(time.Minute)
	if err := producer.Stop(stopTimeout); err != nil {
		t.Fatal(err)
	}
	s.verify(1)
}

// workers returns the task of each worker id: another id means that a worker
// was evicted and joined again.
func (s *system) workers() map[string]string {
	s.t.Helper()
	out := map[string]string{}
	for _, task := range s.Tasks() {
		out[s.worker(task)] = task.Name
	}
	return out
}

func (s *system) outage(length time.Duration) {
	s.t.Helper()
	ctx := s.t.Context()
	if err := s.AWS.Admin.AddFault(ctx, awslocal.Fault{Service: "dynamodb", Kind: "drop"}); err != nil {
		s.t.Fatal(err)
	}
	began := time.Now()
	if err := cluster.Until(ctx, 2*length, "the outage is over", func() bool { return time.Since(began) > length }); err != nil {
		s.t.Fatal(err)
	}
	if err := s.AWS.Admin.ClearFaults(ctx); err != nil {
		s.t.Fatal(err)
	}
	over := time.Now()
	s.until("every shard is read again", func() bool {
		return len(s.Tap.Takeovers(over, "nobody", s.shards())) == len(s.shards())
	})
	took := time.Since(over)
	s.t.Logf("every shard read again %s after an outage of %s", took.Round(10*time.Millisecond), length)
	if limit := s.lease + s.lease/2 + 5*time.Second; took > limit {
		s.t.Errorf("got %s to recover, want at most %s", took, limit)
	}
}
