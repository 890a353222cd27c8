package measure

import (
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/tap"
)

// Four shards on two tasks, which are near to even at three and one.
func TestEvened(t *testing.T) {
	t.Parallel()
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	var reads []tap.Read
	read := func(second int, shard, task string, ok bool) {
		reads = append(reads, tap.Read{Shard: shard, Client: task + "-consumer", OK: ok, Done: at(second)})
	}
	for _, shard := range []string{"a", "b", "c", "d"} {
		read(1, shard, "task1", true)
	}
	read(2, "a", "task2", false)
	read(3, "a", "task2", true)
	read(4, "b", "task2", true)
	read(5, "b", "task1", true)
	read(6, "c", "task2", true)
	near, even := evened(reads, 4, 2)
	if !near.Equal(at(3)) || !even.Equal(at(6)) {
		t.Errorf("got near at %d and even at %d, want 3 and 6", near.Unix(), even.Unix())
	}
}
