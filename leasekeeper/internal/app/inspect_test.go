package app_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/app"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/awstest"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/config"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/settings"
)

// Where nobody answers, it says so in one line, when its time is up.
func TestInspect_Unreachable(t *testing.T) {
	environment(t, awstest.Start(t))
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	var s config.Settings
	if err := settings.Load(config.Prefix, &s); err != nil {
		t.Fatal(err)
	}
	var err error
	told := func() bool {
		return err != nil && strings.HasPrefix(err.Error(), "cannot reach Kinesis at 127.0.0.1:1 (AWS_ENDPOINT_URL): connection refused; start")
	}
	for limit := time.Second; !told() && limit < time.Minute; limit *= 2 { // until it is enough for one try
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		err = app.Inspect(ctx, &s, "leases", false, io.Discard)
		cancel()
	}
	if !told() {
		t.Errorf("got %v, want what cannot be reached", err)
	}
}

// A healthy task has no problems; a dead one's leases are named.
func TestInspect(t *testing.T) {
	a := awstest.Start(t)
	environment(t, a)
	a.Stream("test", 2)
	a.Table("leases", "leaseKey")
	a.Table("workers", "workerId")
	var s config.Settings
	if err := settings.Load(config.Prefix, &s); err != nil {
		t.Fatal(err)
	}
	s.LeaseDuration, s.CheckpointInterval = 2*time.Second, 100*time.Millisecond
	var out strings.Builder
	if err := app.Inspect(t.Context(), &s, "leases", false, &out); !errors.Is(err, app.ErrWrong) || !strings.Contains(out.String(), "! never used") {
		t.Errorf("got %v and\n%s\nwant it to say that nobody has used the tables", err, &out)
	}
	one := start(t, func(s *config.Settings) { s.LeaseDuration = 2 * time.Second })
	c := attach(t, one, "one")
	eventually(t, "both shards are read", func() bool { return c.count() == 2 })
	out.Reset()
	if err := app.Inspect(t.Context(), &s, "leases", false, &out); err != nil {
		t.Errorf("got %v, want no problems in\n%s", err, &out)
	}
	if !strings.Contains(out.String(), "shardId-000000000001") || strings.Contains(out.String(), "!") {
		t.Errorf("got\n%s\nwant two shards and no problem", &out)
	}
	one.stop()
	if err := one.wait(); err != nil {
		t.Fatal(err)
	}
	out.Reset()
	if err := app.Inspect(t.Context(), &s, "workers", true, &out); !errors.Is(err, app.ErrWrong) || !strings.HasSuffix(err.Error(), "see problems") || !strings.Contains(out.String(), "no worker is alive") {
		t.Errorf("got %v and\n%s\nwant it to say that no worker is alive", err, &out)
	}
}
