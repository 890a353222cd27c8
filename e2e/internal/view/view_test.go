package view_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/view"
)

func state() view.State {
	return view.State{
		Elapsed: 3 * time.Second, Target: 10_000, Produced: 3_000, Read: 2_900, Stored: 2_800,
		Shards: []view.Shard{
			{Name: "shardId-000000000000", Owner: "task1", State: "held", Generation: 3, Lag: 140 * time.Millisecond, Read: 900},
			{Name: "shardId-000000000001", State: "unowned"},
		},
		Tasks: []view.Task{{Name: "task1", Condition: "up"}, {Name: "task2", Condition: "gone"}},
	}
}

func TestState_Lines(t *testing.T) {
	lines := state().Lines([]string{strings.Repeat("a long event ", 20)})
	text := strings.Join(lines, "\n")
	for _, want := range []string{"produced 3000/10000", "shardId-000000000000  task1", "140 ms", "task2 gone", "[#####"} {
		if !strings.Contains(text, want) {
			t.Errorf("got no %q in:\n%s", want, text)
		}
	}
	for _, line := range lines {
		if got := len([]rune(line)); got > view.Width {
			t.Errorf("got a line of %d characters, want at most %d: %s", got, view.Width, line)
		}
	}
}

func TestScreen(t *testing.T) {
	tests := map[string]struct {
		columns, rows int
		redrawn       bool
		states        int // times the summary is written
	}{
		"terminal":    {columns: 80, rows: 19, redrawn: true, states: 2},
		"low":         {columns: 80, rows: 18, states: 1},
		"narrow":      {columns: 79, rows: 50, states: 1},
		"no terminal": {states: 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			screen := view.NewOn(&out, tt.columns, tt.rows)
			screen.Event("killed %s", "task2")
			screen.Show(state())
			screen.Show(state())
			if got := strings.Contains(out.String(), "\x1b"); got != tt.redrawn {
				t.Errorf("got control characters %t, want %t: %q", got, tt.redrawn, out.String())
			}
			if got := strings.Count(out.String(), "produced 3000/10000"); got != tt.states {
				t.Errorf("got %d summaries, want %d", got, tt.states)
			}
			if !strings.Contains(out.String(), "killed task2") {
				t.Errorf("got no event in %q", out.String())
			}
		})
	}
}

// TestScreen_Fits: nothing drawn is higher than the terminal, on the smallest
// with all events, and the newest of them stay as long as they can.
func TestScreen_Fits(t *testing.T) {
	for shards, wanted := range map[int]string{3: "event 2\x1b", 9: "event 9\x1b", 30: "shardId"} {
		var out bytes.Buffer
		screen := view.NewOn(&out, 80, 19)
		for i := range 10 {
			screen.Event("event %d", i)
		}
		s := state()
		s.Shards = slices.Repeat(s.Shards[:1], shards)
		screen.Show(s)
		if got := strings.Count(out.String(), "\n"); got > 18 || !strings.Contains(out.String(), wanted) {
			t.Errorf("%d shards: got %d lines, want at most 18, with %q:\n%s", shards, got, wanted, out.String())
		}
	}
}
