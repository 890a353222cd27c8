package dispatch_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/dispatch"
)

// TestLanes compares lanes with a map, with few buckets for many hashes.
func TestLanes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hashes := rapid.SliceOfN(rapid.Uint64Range(0, 12), 1, 60).Draw(t, "hashes")
		lanes, newest := dispatch.NewLanes(rapid.SampledFrom([]int{2, 4, 8}).Draw(t, "buckets"), hashes), map[uint64]int{}
		for place, h := range hashes {
			want, wantBusy := newest[h]
			if last, busy := lanes.Add(place); last != want || busy != wantBusy {
				t.Fatalf("add %d, hash %d: got %d, %v, want %d, %v", place, h, last, busy, want, wantBusy)
			}
			newest[h] = place
			for h := range rapid.Uint64Range(0, 12).Draw(t, "up to") {
				if last, busy := newest[h]; busy && rapid.Bool().Draw(t, "remove") {
					lanes.Remove(last)
					delete(newest, h)
				}
			}
		}
	})
}
