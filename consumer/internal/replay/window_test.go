package replay_test

import (
	"errors"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/replay"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestParseWindow(t *testing.T) {
	at := func(text string) time.Time {
		when, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	for name, tc := range map[string]struct {
		from, until string
		want        replay.Window
		err         error
	}{
		"all of it":       {"TRIM_HORIZON", "now", replay.Window{Until: now.Add(time.Second)}, nil},
		"times":           {"2026-11-23T10:00:00Z", "2026-11-23T12:00:00.5+01:00", replay.Window{From: at("2026-11-23T10:00:00Z"), Until: at("2026-11-23T11:00:00.5Z")}, nil},
		"ago":             {"2h30m", "30m", replay.Window{From: at("2026-11-23T09:30:00Z"), Until: at("2026-11-23T11:30:00Z")}, nil},
		"all that it has": {"24h", "now", replay.Window{From: now.Add(-24 * time.Hour), Until: now.Add(time.Second)}, nil},
		"the wrong way":   {"1h", "2h", replay.Window{}, replay.ErrEmpty},
		"nothing":         {"1h", "1h", replay.Window{}, replay.ErrEmpty},
		"too old":         {"24h1s", "now", replay.Window{}, replay.ErrGone},
		"until too old":   {"TRIM_HORIZON", "25h", replay.Window{}, replay.ErrGone},
		"to come":         {"1h", "2026-11-23T12:00:02Z", replay.Window{}, replay.ErrAhead},
		"no time":         {"noon", "now", replay.Window{}, replay.ErrFrom},
		"minus":           {"-1h", "now", replay.Window{}, replay.ErrFrom},
		"no until":        {"1h", "LATEST", replay.Window{}, replay.ErrUntil},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := replay.ParseWindow(tc.from, tc.until, now, 24*time.Hour)
			if !errors.Is(err, tc.err) || err == nil && (!got.From.Equal(tc.want.From) || !got.Until.Equal(tc.want.Until)) {
				t.Errorf("got %v, %v, want %v, %v", got, err, tc.want, tc.err)
			}
		})
	}
}

func TestWindow_Contains(t *testing.T) {
	w := replay.Window{From: now, Until: now.Add(time.Second)}
	for name, tc := range map[string]struct {
		at   time.Duration
		want bool
	}{"before": {-1, false}, "first": {0, true}, "last": {time.Second - 1, true}, "until": {time.Second, false}} {
		if got := w.Contains(now.Add(tc.at)); got != tc.want {
			t.Errorf("%s: got %t, want %t", name, got, tc.want)
		}
	}
}
