package config_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/config"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/settings"
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
		"url":         {"CONSUMER_LEASEKEEPER_URL", "127.0.0.1:9400", "CONSUMER_LEASEKEEPER_URL: want a URL"},
		"listen":      {"CONSUMER_LISTEN", "9401", "CONSUMER_LISTEN: want an address"},
		"limit":       {"CONSUMER_CONCURRENCY_LIMIT", "0", "CONSUMER_CONCURRENCY_LIMIT: want 1 to"},
		"table":       {"CONSUMER_MESSAGES_TABLE", "a b c", "CONSUMER_MESSAGES_TABLE: want a DynamoDB table name"},
		"stream":      {"CONSUMER_STREAM", "a b", "CONSUMER_STREAM: want a stream's name"},
		"emf":         {"CONSUMER_METRICS", "emf", "CONSUMER_STREAM: want the name of the stream with CONSUMER_METRICS=emf"},
		"budget":      {"CONSUMER_MEMORY_BUDGET", "many", "CONSUMER_MEMORY_BUDGET: want 16MiB or more"},
		"small":       {"CONSUMER_MEMORY_BUDGET", "15MiB", "CONSUMER_MEMORY_BUDGET: want 16MiB or more"},
		"bytes":       {"CONSUMER_MEMORY_BUDGET", "16777216", ""},
		"overflow":    {"CONSUMER_MEMORY_BUDGET", "99999999999GiB", "CONSUMER_MEMORY_BUDGET: want"},
		"poison":      {"CONSUMER_ON_POISON", "drop", "CONSUMER_ON_POISON: want dead-letter or block"},
		"drain":       {"CONSUMER_DRAIN_TIMEOUT", "-1s", "CONSUMER_DRAIN_TIMEOUT: want a duration above 0"},
		"rate":        {"CONSUMER_READ_CALLS_PER_SECOND", "NaN", "CONSUMER_READ_CALLS_PER_SECOND: want a number"},
		"typo":        {"CONSUMER_MESSAGE_TABLE", "x", "CONSUMER_MESSAGE_TABLE: no such setting; did you mean CONSUMER_MESSAGES_TABLE?"},
		"log level":   {"CONSUMER_LOG_LEVEL", "loud", "CONSUMER_LOG_LEVEL: want"},
		"all is well": {"CONSUMER_LOG_FORMAT", "console", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(tc.variable, tc.value)
			err := settings.Load(config.Prefix, new(config.Settings))
			if tc.want == "" {
				if err != nil {
					t.Fatalf("got %v, want no error", err)
				}
				return
			}
			if err == nil || !strings.HasPrefix(err.Error(), tc.want) {
				t.Fatalf("got %v, want %q", err, tc.want)
			}
		})
	}
}
