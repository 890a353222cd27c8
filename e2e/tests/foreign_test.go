package e2e_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/build"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/foreign"
)

// TestForeign runs the three binaries against a Kinesis and a DynamoDB nobody
// here wrote, by environment variables alone.
func TestForeign(t *testing.T) {
	root, err := build.Root()
	if err != nil {
		t.Fatal(err)
	}
	servers, err := foreign.Start(t.Context(), filepath.Join(root, "bin", "npm"), t.TempDir())
	if errors.Is(err, foreign.ErrUnavailable) {
		t.Skipf("skipped: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(servers.Stop)
	// These servers are slow beside other work: they are asked no more than is needed, and a
	// request that is given up and sent again would be stored twice.
	s := start(t, cluster.Options{Server: servers.Server, Env: []string{"CONSUMER_READ_CALLS_PER_SECOND=2"}})
	s.stop()
	s.few = true
	const count = 2_000
	producer, err := s.StartProducer(count, 0, "PRODUCER_ATTEMPT_TIMEOUT="+(2*patience).String())
	if err != nil {
		t.Fatal(err)
	}
	s.finished(producer)
	if _, err := s.AddTasks(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	if got := s.verify(count); got.Duplicated != 0 || got.Records != count {
		t.Errorf("got %s, want each of %d messages once", got, count)
	}
}
