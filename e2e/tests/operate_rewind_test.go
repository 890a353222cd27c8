package e2e_test

import (
	"context"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/awslocal"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/verify"
)

// TestOperate_Rewind rewinds a fleet under load to the beginning, by a tool that
// is killed half-way and run again: everything of before is stored again, once
// or twice, and nothing is missing in the end.
func TestOperate_Rewind(t *testing.T) {
	t.Parallel()
	s := start(t, cluster.Options{Lease: shortLease})
	const count = 5_000
	s.startTasks(2)
	producer := s.produce(count, 250)
	s.until("messages are read", func() bool { return s.delivered() > 1000 })
	s.asked("rewind", "--to", "TRIM_HORIZON")
	if got := s.overwrites(); got != 0 {
		t.Fatalf("got %d items written again by a dry run, want none", got)
	}
	half := s.tool(t.Context(), "rewind", "--to", "TRIM_HORIZON", "--yes")
	if err := half.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.NewTimer(250 * time.Millisecond)
	defer timer.Stop()
	<-timer.C
	if err := half.Process.Kill(); err != nil {
		t.Logf("the first rewind had ended: %v", err)
	}
	_ = half.Wait()
	s.asked("rewind", "--to", "TRIM_HORIZON", "--yes")
	s.until("what was read before is stored again", func() bool { return s.overwrites() >= 1000 })
	s.finished(producer)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	report, err := verify.WaitStored(ctx, count, 200*time.Millisecond, func(ctx context.Context) (verify.Report, error) {
		return verify.Tables(ctx, s.records, s.AWS.DynamoDB, awslocal.MessagesTable, awslocal.DeadLetterTable)
	})
	if err != nil || !report.Clean() {
		t.Errorf("got %s, %v, want every record stored", report, err)
	}
	again := s.overwrites()
	t.Logf("%s; %d items written again", report, again)
	if again > 2*count {
		t.Errorf("got %d items written again, want two rewinds' worth at most", again)
	}
}
