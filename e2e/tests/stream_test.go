package e2e_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/awslocal"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/proc"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/verify"
)

// TestStream_Refused starts a leasekeeper on tables that belong to another
// stream, and on those of a stream that was deleted and made again: it must
// refuse in one clear line, and leave the leases alone.
func TestStream_Refused(t *testing.T) {
	t.Parallel()
	s := start(t, cluster.Options{Lease: shortLease})
	task := s.startTasks(1)[0]
	s.finished(s.produce(100, 0))
	s.verify(100)
	if err := task.Stop(stopTimeout); err != nil {
		t.Fatal(err)
	}
	before := s.leases()
	if err := s.AWS.CreateStream(t.Context(), "other", 3); err != nil {
		t.Fatal(err)
	}
	s.refused("another stream", "other")
	if _, err := s.AWS.Kinesis.DeleteStream(t.Context(), &kinesis.DeleteStreamInput{StreamName: aws.String(awslocal.Stream)}); err != nil {
		t.Fatal(err)
	}
	s.until("the stream is gone", func() bool {
		return s.AWS.CreateStream(t.Context(), awslocal.Stream, 3) == nil
	})
	s.refused("the stream made again", awslocal.Stream)
	for shard, row := range s.leases() {
		if row != before[shard] {
			t.Errorf("got lease row %+v of %s after the refusals, want %+v", row, shard, before[shard])
		}
	}
}

// refused starts a leasekeeper for a stream and expects it to give up.
func (s *system) refused(what, stream string) {
	s.t.Helper()
	p := s.leasekeeper(strings.ReplaceAll(what, " ", "-"), "LEASEKEEPER_STREAM="+stream)
	if err := p.Wait(10 * time.Second); err != nil {
		s.t.Fatalf("%s: got %v, want an exit\n%s", what, err, p.Tail(10))
	}
	last := p.Tail(1)
	if p.ExitCode() != 1 || !strings.Contains(last, "stream") || !strings.Contains(last, `"error"`) {
		s.t.Errorf("%s: got exit code %d, want 1 and a line that says why:\n%s", what, p.ExitCode(), p.Tail(10))
	}
	s.t.Logf("%s: %s", what, last)
}

// leasekeeper starts a leasekeeper of its own, without a consumer.
func (s *system) leasekeeper(name string, settings ...string) *proc.Process {
	s.t.Helper()
	p, err := proc.Start(proc.Spec{
		Name: "alone-" + name, Path: binaries(s.t).Leasekeeper, LogDir: s.LogDir,
		Env: append(s.AWS.Env("alone"), append(settings, "LEASEKEEPER_LISTEN=127.0.0.1:0")...),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(p.Kill)
	return p
}

func (s *system) leases() map[string]verify.LeaseRow {
	s.t.Helper()
	rows, err := verify.ScanLeases(s.t.Context(), s.AWS.DynamoDB, awslocal.LeaseTable)
	if err != nil {
		s.t.Fatal(err)
	}
	out := map[string]verify.LeaseRow{}
	for _, row := range rows {
		out[row.Shard] = row
	}
	return out
}

// TestStream_Thousand makes a row for each of a thousand shards, which Kinesis
// lists in pages and the table scans in pages.
func TestStream_Thousand(t *testing.T) {
	t.Parallel()
	const shards = 1_000
	s := start(t, cluster.Options{Shards: shards})
	began := time.Now()
	s.leasekeeper("thousand", "LEASEKEEPER_STREAM="+awslocal.Stream)
	s.until("every shard has a row", func() bool { return len(s.leases()) == shards })
	t.Logf("%d rows after %s", shards, time.Since(began).Round(time.Millisecond))
}
