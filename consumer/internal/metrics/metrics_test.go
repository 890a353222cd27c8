package metrics_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/metrics"
)

func TestMetrics_Handler(t *testing.T) {
	m := metrics.New()
	m.Done(3)
	m.Gauge("shards", "Shards.", func() float64 { return 2 })
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, want := range []string{"consumer_messages_done_total 3", "consumer_shards 2", "process_cpu_seconds_total ", "go_goroutines "} {
		if got := w.Body.String(); !strings.Contains(got, want) {
			t.Errorf("got\n%s\nwant %q", got, want)
		}
	}
}

func TestMetrics_EMF(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := metrics.New()
		m.Gauge("lag_milliseconds", "Lag.", func() float64 { return 40 })
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Second)
		defer cancel()
		m.Done(3)
		time.AfterFunc(90*time.Second, func() {
			m.Done(4)
			m.Handled(4, time.Second)
			m.Handled(4, 3*time.Second)
		})
		var b bytes.Buffer
		if err := m.EMF(ctx, &b, "events", time.Minute); err != nil {
			t.Fatal(err)
		}
		var got []map[string]any
		for line := range strings.Lines(b.String()) {
			var l map[string]any
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				t.Fatal(err)
			}
			got = append(got, l)
		}
		if len(got) != 3 {
			t.Fatalf("got %d lines, want two by the minute and one at the end", len(got))
		}
		for i, want := range []float64{3, 4, 0} {
			if got[i]["consumer_messages_done_total"] != want {
				t.Errorf("line %d: got %v messages, want %v", i, got[i]["consumer_messages_done_total"], want)
			}
		}
		if got[1]["consumer_handler_seconds"] != 2.0 || got[0]["consumer_lag_milliseconds"] != 40.0 {
			t.Errorf("got mean latency %v and lag %v, want 2 and 40", got[1]["consumer_handler_seconds"], got[0]["consumer_lag_milliseconds"])
		}
		if _, ok := got[0]["consumer_handler_seconds"]; ok {
			t.Error("a mean of nothing was written")
		}
		for name := range got[0] {
			if strings.HasPrefix(name, "process_") || strings.HasPrefix(name, "go_") {
				t.Errorf("CloudWatch is to be paid for %s", name)
			}
		}
		meta := got[0]["_aws"].(map[string]any)["CloudWatchMetrics"].([]any)[0].(map[string]any)
		if meta["Namespace"] != "KinesisConsumer" || len(meta["Metrics"].([]any)) < 10 {
			t.Errorf("got directive %v", meta)
		}
		if dimensions := fmt.Sprint(meta["Dimensions"]); dimensions != "[[Stream]]" || got[0]["Stream"] != "events" {
			t.Errorf("got dimensions %s, Stream %v: without them two streams of an account are one series", dimensions, got[0]["Stream"])
		}
		w := httptest.NewRecorder()
		m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		for _, metric := range meta["Metrics"].([]any) {
			if name := metric.(map[string]any)["Name"].(string); !strings.Contains(w.Body.String(), "# TYPE "+name+" ") {
				t.Errorf("%s has another name than at /metrics", name)
			}
		}
	})
}

// TestMetrics_Counts has each observation counted, by itself.
func TestMetrics_Counts(t *testing.T) {
	for name, observe := range map[string]func(*metrics.Metrics){
		"records_read_total 2":               func(m *metrics.Metrics) { m.Read(2, 0, 0) },
		"bytes_read_total 7":                 func(m *metrics.Metrics) { m.Read(0, 7, 9) },
		"read_throttles_total 1":             (*metrics.Metrics).Throttled,
		"read_failures_total 1":              (*metrics.Metrics).ReadFailed,
		"unpacked_messages_total 3":          func(m *metrics.Metrics) { m.Unpacked(3) },
		"damaged_aggregates_total 1":         (*metrics.Metrics).Damaged,
		"out_of_range_messages_total 1":      (*metrics.Metrics).OutOfRange,
		"checkpoints_trimmed_total 1":        (*metrics.Metrics).CheckpointTrimmed,
		"handler_calls_total 1":              func(m *metrics.Metrics) { m.Handled(5, time.Second) },
		"handler_batch_messages_sum 5":       func(m *metrics.Metrics) { m.Handled(5, time.Second) },
		"handler_seconds_sum 2":              func(m *metrics.Metrics) { m.Handled(5, 2*time.Second) },
		`handler_seconds_bucket{le="120"} 0`: func(m *metrics.Metrics) { m.Handled(1, 5*time.Minute) }, // minutes are told apart
		`handler_seconds_bucket{le="600"} 1`: func(m *metrics.Metrics) { m.Handled(1, 5*time.Minute) },
		"messages_done_total 4":              func(m *metrics.Metrics) { m.Done(4) },
		"messages_retried_total 1":           func(m *metrics.Metrics) { m.Retried(1) },
		"messages_waited_total 1":            func(m *metrics.Metrics) { m.Unavailable(1) },
		"dead_letters_total 1":               (*metrics.Metrics).Buried,
		"handler_panics_total 1":             (*metrics.Metrics).Panicked,
		"writes_throttled_total 6":           func(m *metrics.Metrics) { m.WritesThrottled(6) },
		"syncs_total 1":                      func(m *metrics.Metrics) { m.Synced(nil) },
		"sync_failures_total 1":              func(m *metrics.Metrics) { m.Synced(context.Canceled) },
	} {
		m := metrics.New()
		observe(m)
		w := httptest.NewRecorder()
		m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		if !strings.Contains(w.Body.String(), "\nconsumer_"+name+"\n") {
			t.Errorf("got\n%s\nwant %s", w.Body, name)
		}
	}
}
