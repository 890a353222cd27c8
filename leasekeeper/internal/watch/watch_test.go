package watch_test

import (
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/watch"
)

func TestBoard_Still(t *testing.T) {
	var b watch.Board
	b.See(1*time.Second, "a", 7, 8*time.Second)
	b.See(5*time.Second, "a", 7, 8*time.Second) // the same value: the watch goes on
	b.See(5*time.Second, "b", 1, 8*time.Second)
	if still, next := b.Still(8 * time.Second); len(still) != 0 || next != 9*time.Second {
		t.Errorf("got %v, next %v, want nobody before 9s", still, next)
	}
	if still, next := b.Still(9 * time.Second); len(still) != 1 || still[0] != "a" || next != 13*time.Second {
		t.Errorf("got %v, next %v, want a, then 13s", still, next)
	}
	b.See(10*time.Second, "a", 8, 8*time.Second) // alive: anew
	if b.StoodStill(17*time.Second, "a") || !b.StoodStill(18*time.Second, "a") {
		t.Error("a new value must be watched for its whole time")
	}
}

// L3: after a reset everybody is watched anew.
func TestBoard_Reset(t *testing.T) {
	var b watch.Board
	b.See(0, "a", 7, time.Second)
	b.Reset()
	if still, next := b.Still(time.Minute); len(still) != 0 || next != watch.Never {
		t.Errorf("got %v, %v, want nobody", still, next)
	}
	b.See(time.Minute, "a", 7, time.Second)
	if b.StoodStill(time.Minute, "a") {
		t.Error("the watch goes on from before the reset")
	}
}

// A peer's lease duration may change with its row: the longer one counts.
func TestBoard_OtherTime(t *testing.T) {
	var b watch.Board
	b.See(0, "a", 7, time.Second)
	b.See(0, "a", 7, time.Minute)
	if b.StoodStill(2*time.Second, "a") {
		t.Error("got the old time")
	}
	b.Keep(func(string) bool { return false })
	if b.Len() != 0 {
		t.Error("Keep kept what it was told not to")
	}
}
