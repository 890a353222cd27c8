package watermark_test

import (
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/position"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/watermark"
)

// TestTracker compares a Tracker with the plainest model there is: a list of
// what is done, looked through from its start.
func TestTracker(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var tracker watermark.Tracker
		var done []bool
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				n := len(done)
				if got := tracker.Add(position.Position{Sequence: strconv.Itoa(n + 1)}, int64(n)); got != uint64(n) {
					t.Fatalf("got number %d, want %d", got, n)
				}
				done = append(done, false)
			},
			"done": func(t *rapid.T) {
				if len(done) == 0 {
					t.Skip()
				}
				n := rapid.IntRange(0, len(done)-1).Draw(t, "n")
				done[n] = true
				tracker.Done(uint64(n))
			},
			"": func(t *rapid.T) {
				low := 0
				for low < len(done) && done[low] {
					low++
				}
				want := position.Position{}
				if low > 0 {
					want.Sequence = strconv.Itoa(low)
				}
				if got := tracker.Mark(); got != want {
					t.Fatalf("got mark %v, want %v", got, want)
				}
				if got := tracker.Unfinished(); got != len(done)-low {
					t.Fatalf("got %d unfinished, want %d", got, len(done)-low)
				}
				if oldest, ok := tracker.Oldest(); ok != (low < len(done)) || ok && oldest != int64(low) {
					t.Fatalf("got oldest %d, %v, want %d", oldest, ok, low)
				}
			},
		})
	})
}
