package config_test

import (
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/config"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/settings"
)

var update = flag.Bool("update", false, "write the settings table into README.md")

func TestSettings_README(t *testing.T) {
	const file, begin, end = "../../README.md", "<!-- settings:begin -->\n", "<!-- settings:end -->"
	var want strings.Builder
	if err := settings.WriteTable(&want, config.Prefix, new(config.Settings)); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(data), begin)
	got, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("README.md has no %q … %q", begin, end)
	}
	if *update {
		if err := os.WriteFile(file, []byte(before+begin+want.String()+end+after), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != want.String() {
		t.Errorf("the table in README.md is not that of the code; go test ./internal/config -update\ngot\n%s\nwant\n%s", got, want.String())
	}
}

func TestSettings_Validate(t *testing.T) {
	for name, tc := range map[string]struct{ variable, value, want string }{
		"listen":      {"LEASEKEEPER_LISTEN", "9400", "LEASEKEEPER_LISTEN: want an address"},
		"short":       {"LEASEKEEPER_LEASE_DURATION", "999ms", "LEASEKEEPER_LEASE_DURATION: want 1s to 1m"},
		"long":        {"LEASEKEEPER_LEASE_DURATION", "61s", "LEASEKEEPER_LEASE_DURATION: want 1s to 1m"},
		"two seconds": {"LEASEKEEPER_LEASE_DURATION", "2s", ""},
		"drain":       {"LEASEKEEPER_DRAIN_TIMEOUT", "15s", "LEASEKEEPER_DRAIN_TIMEOUT: want at least twice the lease duration"},
		"position":    {"LEASEKEEPER_INITIAL_POSITION", "yesterday", "LEASEKEEPER_INITIAL_POSITION: want TRIM_HORIZON, LATEST or"},
		"latest":      {"LEASEKEEPER_INITIAL_POSITION", "LATEST", ""},
		"a time":      {"LEASEKEEPER_INITIAL_POSITION", "2026-11-23T12:00:00Z", ""},
		"one table":   {"LEASEKEEPER_WORKER_TABLE", "leases", "LEASEKEEPER_WORKER_TABLE: want another table"},
		"cap":         {"LEASEKEEPER_MAX_LEASES", "-1", "LEASEKEEPER_MAX_LEASES: want 0 or more"},
		"wait":        {"LEASEKEEPER_FOREIGN_WAIT", "0s", "LEASEKEEPER_FOREIGN_WAIT: want 1s to 1h"},
		"unknown":     {"LEASEKEEPER_LEASES_TABLE", "x", "LEASEKEEPER_LEASES_TABLE: no such setting; did you mean LEASEKEEPER_LEASE_TABLE?"},
		"metrics":     {"LEASEKEEPER_METRICS", "statsd", "LEASEKEEPER_METRICS: want prometheus, emf or none"},
		"log level":   {"LEASEKEEPER_LOG_LEVEL", "loud", "LEASEKEEPER_LOG_LEVEL: want"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(tc.variable, tc.value)
			err := settings.Load(config.Prefix, new(config.Settings))
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("got %v, want no error", err)
			case tc.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tc.want)):
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

// An attempt at a table ends well inside a heartbeat, whatever the lease duration.
func TestSettings_Attempt(t *testing.T) {
	for _, d := range []time.Duration{time.Second, 2 * time.Second, 8 * time.Second, time.Minute} {
		s := config.Settings{LeaseDuration: d}
		if got, heartbeat := s.Attempt(), d/4; got > heartbeat/2 {
			t.Errorf("%v: got %v for an attempt, want half a heartbeat of %v at most", d, got, heartbeat)
		}
	}
}
