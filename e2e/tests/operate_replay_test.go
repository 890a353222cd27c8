package e2e_test

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/awslocal"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/verify"
)

// replayTable is where the replays of these tests write to.
const replayTable = "replayed"

// replay prepares the consumer's verb, as an operator runs it, into a table of its own.
func (s *system) replay(ctx context.Context, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, binaries(s.t).Consumer, append([]string{"replay"}, args...)...)
	command.Env = append(s.AWS.Env("replay"), "PATH="+os.Getenv("PATH"), "CONSUMER_STREAM="+awslocal.Stream, "CONSUMER_MESSAGES_TABLE="+replayTable)
	return command
}

// TestOperate_Replay replays a stream that was split and merged into another
// table, beside a fleet under load, by a process that is killed half-way and run
// again: everything of the window is there, once, and the fleet's leases and
// checkpoints go on as if nothing had been.
func TestOperate_Replay(t *testing.T) {
	t.Parallel()
	s := start(t, cluster.Options{Lease: shortLease})
	if err := s.AWS.CreateTable(t.Context(), replayTable, "id"); err != nil {
		t.Fatal(err)
	}
	s.startTasks(2)
	producer := s.produce(0, 300)
	s.until("messages are read", func() bool { return s.delivered() > 500 })
	s.split("shardId-000000000000")
	s.openRead()
	s.merge("shardId-000000000003", "shardId-000000000004")
	s.openRead()
	before := s.settled()
	s.killedReplay()

	window, err := s.records.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.replayed("--from", "TRIM_HORIZON", "--json")
	items, err := verify.ScanMessages(t.Context(), s.AWS.DynamoDB, replayTable)
	if err != nil {
		t.Fatal(err)
	}
	for _, records := range window {
		for _, record := range records {
			if items[record] != 1 {
				t.Errorf("%+v has %d items in the other table, want one", record, items[record])
			}
		}
	}
	if after := s.generations(); !maps.Equal(before, after) {
		t.Errorf("got generations %v after the replay, want those of before: %v", after, before)
	}
	if err := producer.Stop(stopTimeout); err != nil {
		t.Fatal(err)
	}
	s.verify(1)
	if got := s.overwrites(); got != 0 {
		t.Errorf("got %d of the fleet's items written again, want none", got)
	}
}

// killedReplay starts a replay and kills it while it writes.
func (s *system) killedReplay() {
	s.t.Helper()
	slow := awslocal.Fault{ID: "slow", Service: "dynamodb", Operation: "BatchWriteItem", Client: "replay", Kind: "latency", LatencyMS: 200}
	if err := s.AWS.Admin.AddFault(s.t.Context(), slow); err != nil {
		s.t.Fatal(err)
	}
	half := s.replay(s.t.Context(), "--from", "1h")
	half.Env = append(half.Env, "CONSUMER_CONCURRENCY_LIMIT=5")
	if err := half.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.until("the replay has written something", func() bool {
		counters, err := s.AWS.Admin.Counters(s.t.Context())
		return err == nil && counters.Tables[replayTable].Puts > 20
	})
	if err := half.Process.Kill(); err != nil {
		s.t.Fatalf("the replay ended before it was killed: %v", err)
	}
	_ = half.Wait()
	if err := s.AWS.Admin.ClearFaults(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// replayed runs a replay to its end, which must be a whole one.
func (s *system) replayed(args ...string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	command := s.replay(ctx, args...)
	out, err := command.Output()
	var summary struct {
		Complete       bool
		Shards         int
		Handled        int64
		DeadLettered   int64 `json:"dead_lettered"`
		Records, Bytes int64
		Seconds        float64
	}
	if err == nil {
		err = json.Unmarshal(out, &summary)
	}
	if err != nil || !summary.Complete || summary.Shards != 6 || summary.DeadLettered != 0 || summary.Handled != summary.Records {
		s.t.Fatalf("replay %v: %v, %s; want a whole one of 6 shards", args, err, out)
	}
	s.t.Logf("replayed %+v", summary)
}

// generations returns the lease counter of each shard.
func (s *system) generations() map[string]string {
	s.t.Helper()
	rows, err := verify.ScanLeases(s.t.Context(), s.AWS.DynamoDB, awslocal.LeaseTable)
	if err != nil {
		s.t.Fatal(err)
	}
	counters := map[string]string{}
	for _, row := range rows {
		counters[row.Shard] = row.Counter
	}
	return counters
}

// settled waits until no lease has moved for longer than two lease durations,
// and returns the generations.
func (s *system) settled() map[string]string {
	s.t.Helper()
	last, since := s.generations(), time.Now()
	s.until("no lease moves", func() bool {
		if now := s.generations(); !maps.Equal(now, last) {
			last, since = now, time.Now()
		}
		return time.Since(since) > 2*s.lease+time.Second
	})
	return last
}
