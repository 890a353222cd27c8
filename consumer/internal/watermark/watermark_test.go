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
		var done []bool // the messages and what was passed, in turn
		var numbers []uint64
		var places []int // in done, of each number
		t.Repeat(map[string]func(*rapid.T){
			"add": func(*rapid.T) {
				n := len(done)
				numbers = append(numbers, tracker.Add(position.Position{Sequence: strconv.Itoa(n + 1)}, int64(n)))
				done, places = append(done, false), append(places, n)
			},
			"done": func(t *rapid.T) {
				if len(numbers) == 0 {
					t.Skip()
				}
				i := rapid.IntRange(0, len(numbers)-1).Draw(t, "i")
				done[places[i]] = true
				tracker.Done(numbers[i])
			},
			"pass": func(*rapid.T) {
				n := len(done)
				done = append(done, true)
				tracker.Pass(position.Position{Sequence: strconv.Itoa(n + 1)}, int64(n))
			},
			"own": func(t *rapid.T) {
				if len(numbers) == 0 {
					t.Skip()
				}
				from := rapid.IntRange(0, len(numbers)-1).Draw(t, "from")
				tracker.Own(numbers[from], numbers[len(numbers)-1]+1)
			},
			"": func(t *rapid.T) {
				low, unfinished := 0, 0
				for low < len(done) && done[low] {
					low++
				}
				for _, n := range places {
					if n >= low {
						unfinished++
					}
				}
				want := position.Position{}
				if low > 0 {
					want.Sequence = strconv.Itoa(low)
				}
				if got := tracker.Mark(); got != want {
					t.Fatalf("got mark %v, want %v", got, want)
				}
				if got := tracker.Unfinished(); got < unfinished || got > 2*unfinished {
					t.Fatalf("got %d unfinished, want %d, and no more for what was passed than for messages", got, unfinished)
				}
				if oldest, ok := tracker.Oldest(); ok != (low < len(done)) || ok && oldest != int64(low) {
					t.Fatalf("got oldest %d, %v, want %d", oldest, ok, low)
				}
			},
		})
	})
}
