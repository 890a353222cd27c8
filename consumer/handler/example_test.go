package handler_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"sync"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/app"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/handler"
)

// A whole program with a handler of its own, in place of consumer/main.go.
func Example() {
	handle := func(ctx context.Context, m handler.Message) error {
		var order struct{ ID string }
		if err := json.Unmarshal(m.Data, &order); err != nil {
			return handler.Permanent(err) // trying again cannot help: to the dead letters
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://orders.internal/"+order.ID, http.NoBody)
		if err != nil {
			return handler.Permanent(err)
		}
		req.Header.Set("Idempotency-Key", m.ID())
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return handler.Unavailable(err) // wait for it, however long
		}
		defer func() { _ = resp.Body.Close() }()
		if resp.StatusCode >= 300 {
			return fmt.Errorf("put order: %s", resp.Status) // try again, within limits
		}
		return nil
	}
	os.Exit(app.Main(app.Program{
		Version:    "1.0.0",
		NewHandler: func(context.Context, app.Env) (handler.Handler, error) { return handler.Func(handle), nil },
	}))
}

// fenced refuses messages of readers that were replaced.
type fenced struct {
	mu     sync.Mutex // handlers are called from many goroutines
	newest map[string]int64
}

// Handle implements handler.Handler.
func (f *fenced) Handle(_ context.Context, batch []handler.Message) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	failed := handler.Failed{}
	for i, m := range batch {
		if m.Generation < f.newest[m.Shard] {
			failed[i] = handler.Permanent(fmt.Errorf("generation %d of %s was replaced", m.Generation, m.Shard))
			continue
		}
		f.newest[m.Shard] = m.Generation
	}
	if len(failed) > 0 {
		return failed
	}
	return nil
}

// BatchSize implements handler.BatchSizer.
func (*fenced) BatchSize() int { return 100 }

// A handler of batches names those of its messages that are not done.
func ExampleFailed() {
	h := &fenced{newest: map[string]int64{}}
	err := h.Handle(context.Background(), []handler.Message{
		{Shard: "shardId-000000000000", Sequence: "49", Generation: 7},
		{Shard: "shardId-000000000000", Sequence: "50", Generation: 6},
	})
	fmt.Println(err)
	// Output: 1 messages not done, one of them: permanent: generation 6 of shardId-000000000000 was replaced
}
