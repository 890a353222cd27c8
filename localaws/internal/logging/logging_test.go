package logging_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/logging"
)

func TestNew_JSON(t *testing.T) {
	var b bytes.Buffer
	log := logging.New(&b, "warn", logging.JSON, false, "producer", "1.2.3")
	log.Info().Msg("hidden")
	log.Warn().Str("shard", "shardId-000000000000").Msg("throttled")
	var got map[string]any
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatalf("want one JSON object, got %q: %v", b.String(), err)
	}
	for field, want := range map[string]string{"level": "warn", "binary": "producer", "version": "1.2.3", "message": "throttled", "shard": "shardId-000000000000"} {
		if got[field] != want {
			t.Errorf("field %s: got %v, want %q", field, got[field], want)
		}
	}
	if _, err := time.Parse(time.RFC3339, got["time"].(string)); err != nil {
		t.Errorf("time: %v", err)
	}
}

func TestNew_Console(t *testing.T) {
	var b bytes.Buffer
	log := logging.New(&b, "info", logging.Console, false, "producer", "1.2.3")
	log.Info().Msg("started")
	if got := b.String(); !strings.Contains(got, "INF started") || strings.Contains(got, "\x1b") {
		t.Errorf("got %q, want a plain line with the level and the message", got)
	}
}
