package app_test

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/app"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/handler"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/dispatch"
)

// TestConcurrencyLimit has one shard with more messages than may be in process,
// whose handler does not return: so many are in process as the setting says.
func TestConcurrencyLimit(t *testing.T) {
	for _, limit := range []int{1, 500, 2_000, 33_000} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			o := app.DispatchOptions(limit)
			o.BatchSize, o.Linger = 25, 0 // fewer goroutines
			o.Process = func(ctx context.Context, _ []handler.Message, _ func([]int)) { <-ctx.Done() }
			d := dispatch.New(o)
			run := d.Open(ctx)
			messages := make([]handler.Message, limit+1000)
			for i := range messages {
				messages[i] = handler.Message{Sequence: strconv.Itoa(i), PartitionKey: strconv.Itoa(i)}
			}
			go func() { _ = run.Admit(ctx, messages, nil) }() // takes what there is room for
			synctest.Wait()
			if n := d.InProcess(); n != limit {
				t.Errorf("got %d messages in process, want %d", n, limit)
			}
			cancel()
			run.Stop()
			<-run.Idle()
			time.Sleep(time.Minute) // goroutines that wait for batches end
		})
	}
}
