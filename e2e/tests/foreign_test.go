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
	s := start(t, cluster.Options{Server: servers.Server})
	const count = 2_000
	s.startTasks(2)
	s.finished(s.produce(count, 0))
	if got := s.verify(count); got.Duplicated != 0 || got.Records != count {
		t.Errorf("got %s, want each of %d messages once", got, count)
	}
}
