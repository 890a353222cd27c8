package e2e_test

import (
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/awslocal"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/verify"
)

// TestAggregate has the producer pack its messages into aggregated records, and
// kills a task in the middle of them: every message gets one item of its own,
// also where a checkpoint lay inside an aggregate.
func TestAggregate(t *testing.T) {
	t.Parallel()
	const count = 6_000
	s := start(t, cluster.Options{Lease: shortLease})
	s.stop() // the order check reads records, not what is inside them
	tasks := s.startTasks(2)
	producer, err := s.StartProducer(count, 1_500, "PRODUCER_AGGREGATE=true")
	if err != nil {
		t.Fatal(err)
	}
	items := func() verify.Items {
		found, err := verify.ScanMessages(t.Context(), s.AWS.DynamoDB, awslocal.MessagesTable)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	s.until("a third is stored", func() bool { return len(items()) > count/3 })
	tasks[0].Kill()
	s.finished(producer)
	s.until("every message is stored", func() bool { return len(items()) == count })
	for number, n := range items().Numbers() {
		if n != 1 {
			t.Errorf("message %d has %d items, want one", number, n)
		}
	}
	counters, err := s.AWS.Admin.Counters(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if puts := counters.Sum("kinesis", "producer1").Records; puts == 0 || puts > count/5 {
		t.Errorf("got %d records for %d messages, want them aggregated", puts, count)
	}
}
