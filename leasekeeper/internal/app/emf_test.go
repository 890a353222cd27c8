package app

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/keeper"
)

type fixedCounts struct{ counts keeper.Counts }

func (f *fixedCounts) Counts(context.Context) (keeper.Counts, error) {
	f.counts.Claims += 5
	return f.counts, nil
}

// Each line has every series once, with the stream as its dimension: counters as what was added, gauges as they
// are, with units and a time that CloudWatch understands.
func TestEMF_Lines(t *testing.T) {
	var out bytes.Buffer
	ticks := make(chan time.Time)
	at := time.UnixMilli(1_700_000_000_000)
	stop := newEMF(&out, "events").export(t.Context(), &fixedCounts{keeper.Counts{Held: 3, Valid: 1500 * time.Millisecond}}, ticks, zerolog.Nop())
	ticks <- at
	ticks <- at.Add(time.Minute)
	stop()
	lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
	if len(lines) != 2 {
		t.Fatalf("got %d lines, want 2:\n%s", len(lines), &out)
	}
	for i, line := range lines {
		var got struct {
			Claims int     `json:"leasekeeper_claims_total"`
			Held   int     `json:"leasekeeper_leases_held"`
			Valid  float64 `json:"leasekeeper_lease_validity_seconds"`
			Stream string
			AWS    struct {
				Timestamp         int64
				CloudWatchMetrics []emfDirective
			} `json:"_aws"`
		}
		if err := json.Unmarshal(line, &got); err != nil {
			t.Fatal(err)
		}
		if got.Claims != 5 || got.Held != 3 || got.Valid != 1.5 {
			t.Errorf("line %d: got %s, want 5 claims since the line before, 3 leases, 1.5 s", i, line)
		}
		if want := at.Add(time.Duration(i) * time.Minute).UnixMilli(); got.AWS.Timestamp != want {
			t.Errorf("line %d: got time %d, want %d", i, got.AWS.Timestamp, want)
		}
		if d := got.AWS.CloudWatchMetrics; len(d) != 1 || d[0].Namespace != "KinesisLeasekeeper" || len(d[0].Metrics) != len(allSeries()) {
			t.Errorf("line %d: got %+v, want every series", i, d)
		} else if !slices.EqualFunc(d[0].Dimensions, [][]string{{"Stream"}}, slices.Equal) || got.Stream != "events" {
			t.Errorf("line %d: got dimensions %v, stream %q: without them two streams of an account are one series", i, d[0].Dimensions, got.Stream)
		}
	}
}
