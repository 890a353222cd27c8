package e2e_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/awslocal"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/verify"
)

// parentsOf are the shards of TestOperate_RewindReshard: a split, and a merge of
// what it made.
var parentsOf = map[string][]string{
	"shardId-000000000003": {"shardId-000000000000"},
	"shardId-000000000004": {"shardId-000000000000"},
	"shardId-000000000005": {"shardId-000000000003", "shardId-000000000004"},
}

// TestOperate_RewindReshard rewinds a fleet under load to before a split and a
// merge. Half-way the tool and a task are killed. Every record of every shard is
// read and stored again, no child while its parent is read, and nothing is
// missing in the end.
func TestOperate_RewindReshard(t *testing.T) {
	t.Parallel()
	s := start(t, cluster.Options{Lease: shortLease})
	const count = 6_000
	tasks := s.startTasks(2)
	producer := s.produce(count, 200)
	s.until("messages are read", func() bool { return s.delivered() > 500 })
	s.split("shardId-000000000000")
	s.openRead()
	s.merge("shardId-000000000003", "shardId-000000000004")
	s.openRead()
	s.until("the merged shard has messages", func() bool { return s.Tap.Delivered()["shardId-000000000005"] > 50 })
	s.asked("rewind", "--to", "TRIM_HORIZON")
	if got := s.overwrites(); got != 0 {
		t.Fatalf("got %d items written again by a dry run, want none", got)
	}

	stored, err := verify.CountItems(t.Context(), s.AWS.DynamoDB, awslocal.MessagesTable)
	if err != nil {
		t.Fatal(err)
	}
	before, began := s.Tap.Delivered(), time.Now()
	generations := s.generations()
	half := s.tool(t.Context(), "rewind", "--to", "TRIM_HORIZON", "--yes")
	if err := half.Start(); err != nil {
		t.Fatal(err)
	}
	s.until("a finished shard is taken back", func() bool { // it may be finished again by now
		now := s.generations()
		return slices.ContainsFunc(parentsOf["shardId-000000000005"], func(shard string) bool { return now[shard] != generations[shard] })
	})
	_ = half.Process.Kill() // it may have ended
	tasks[0].Kill()
	_ = half.Wait()
	s.addTask()
	s.asked("rewind", "--to", "TRIM_HORIZON", "--yes")

	s.until("everything is stored again", func() bool { return s.overwrites() >= int64(stored) })
	s.finished(producer)
	s.openRead()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	report, err := verify.WaitStored(ctx, count, 200*time.Millisecond, func(ctx context.Context) (verify.Report, error) {
		return verify.Tables(ctx, s.records, s.AWS.DynamoDB, awslocal.MessagesTable, awslocal.DeadLetterTable)
	})
	if err != nil || !report.Clean() {
		t.Errorf("got %s, %v, want every record stored", report, err)
	}
	after := s.Tap.Delivered()
	records, err := s.records.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for shard, all := range records {
		if again := after[shard] - before[shard]; again < len(all) {
			t.Errorf("%s: got %d records read since the rewind, want all %d at least", shard, again, len(all))
		}
	}
	s.ordered(began)
	t.Logf("%s; %d items of %d written again", report, s.overwrites(), stored)
}

// ordered fails the test for every child that was read between a read of its
// parent and the end of that pass.
func (s *system) ordered(since time.Time) {
	s.t.Helper()
	open, passes := map[string]bool{}, map[string]int{}
	for _, r := range s.Tap.Reads(since) {
		if !r.OK {
			continue
		}
		for _, parent := range parentsOf[r.Shard] {
			if open[parent] {
				s.t.Errorf("%s was read at %s, before its parent %s had ended again", r.Shard, r.Sent.Format(time.StampMilli), parent)
			}
		}
		open[r.Shard] = !r.Ended
		if r.Ended {
			passes[r.Shard]++
		}
	}
	for _, parents := range parentsOf {
		for _, parent := range parents {
			if passes[parent] == 0 {
				s.t.Errorf("%s was not read to its end again", parent)
			}
		}
	}
}
