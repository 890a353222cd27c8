package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/app"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/awstest"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/config"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/operate"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/settings"
)

// killed is an output whose reader dies at the first line.
type killed struct{ cancel context.CancelFunc }

func (k killed) Write(p []byte) (int, error) {
	k.cancel()
	return len(p), nil
}

func operator(t *testing.T) func(want error, verb, worker string) string {
	t.Helper()
	var s config.Settings
	if err := settings.Load(config.Prefix, &s); err != nil {
		t.Fatal(err)
	}
	s.LeaseDuration = 2 * time.Second
	return func(want error, verb, worker string) string {
		t.Helper()
		var out strings.Builder
		if err := app.Operate(t.Context(), &s, verb, worker, &out); !errors.Is(err, want) {
			t.Fatalf("%s %s: got %v, want %v\n%s", verb, worker, err, want, &out)
		}
		return out.String()
	}
}

func short(s *config.Settings) { s.LeaseDuration, s.DrainTimeout = 2*time.Second, 20*time.Second }

func workerID(t *testing.T, r *task) string {
	t.Helper()
	var status contract.Status
	if err := json.Unmarshal([]byte(strings.TrimPrefix(get(t, r.url+"/v1/status"), "200 ")), &status); err != nil {
		t.Fatal(err)
	}
	return status.Worker
}

// Each verb returns when it has taken effect; one that was killed half-way
// stands, and is only waited for the second time.
func TestOperate(t *testing.T) {
	a := awstest.Start(t)
	environment(t, a)
	a.Stream("test", 4)
	a.Table("leases", "leaseKey")
	a.Table("workers", "workerId")
	verb := operator(t)
	verb(operate.ErrNeverUsed, "pause", "")
	one, two := start(t, short), start(t, short)
	c1, c2 := attach(t, one, "one"), attach(t, two, "two")
	eventually(t, "two shards each", func() bool { return c1.count() == 2 && c2.count() == 2 })

	ctx, cancel := context.WithCancel(t.Context())
	var s config.Settings
	if err := settings.Load(config.Prefix, &s); err != nil {
		t.Fatal(err)
	}
	if err := app.Operate(ctx, &s, "pause", "", killed{cancel}); !errors.Is(err, operate.ErrNotYet) {
		t.Errorf("got %v, want to hear that it is not done yet", err)
	}
	if out := verb(nil, "pause", ""); !strings.Contains(out, "request 1") || !strings.Contains(out, "2 of 2 workers stand still") {
		t.Errorf("got %q, want the first request to stand", out)
	}
	if c1.count()+c2.count() != 0 {
		t.Errorf("got %d and %d shards read while paused", c1.count(), c2.count())
	}
	if ready := get(t, one.url+"/readyz"); !strings.Contains(ready, "paused") {
		t.Errorf("readyz: got %q, want why", ready)
	}
	verb(operate.ErrPaused, "release", workerID(t, one))
	verb(nil, "resume", "")
	eventually(t, "two shards each again", func() bool { return c1.count() == 2 && c2.count() == 2 })

	verb(nil, "release", workerID(t, one))
	eventually(t, "the other has everything", func() bool { return c1.count() == 0 && c2.count() == 4 })
	verb(operate.ErrNobody, "release", workerID(t, two))
	verb(nil, "resume", workerID(t, one))
	eventually(t, "both take part", func() bool { return c1.count() == 2 && c2.count() == 2 })

	for _, number := range []string{"12", strings.Repeat("9", 56)} { // by the shard's range; by the stream
		to, err := operate.ParseTarget(number)
		if err != nil {
			t.Fatal(err)
		}
		if err := app.Rewind(t.Context(), &s, to, []string{"shardId-000000000000"}, true, io.Discard); !errors.Is(err, operate.ErrNumber) {
			t.Errorf("rewind to %s: got %v, want it refused", number, err)
		}
	}
}
