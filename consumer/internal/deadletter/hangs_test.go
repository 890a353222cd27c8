package deadletter_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/handler"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/attempt"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/awstest"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/deadletter"
)

// silent is a DynamoDB that takes calls and answers none.
type silent struct{}

func (silent) Do(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// TestTable_Hangs has a table that does not answer: whoever waits for it hears of
// it, and does not wait for ever.
func TestTable_Hangs(t *testing.T) {
	table := func() *deadletter.Table {
		return deadletter.New(awstest.Config("http://dynamodb.test:8000", "redriver", silent{}), "letters")
	}
	for name, call := range map[string]func(ctx context.Context) error{
		"bury":   func(ctx context.Context) error { return table().Bury(ctx, attempt.Letter{}) },
		"scan":   func(ctx context.Context) error { return table().Scan(ctx, nil) },
		"remove": func(ctx context.Context) error { return table().Remove(ctx, handler.Message{}) },
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			begin := time.Now()
			if err := call(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: got %v", name, err)
			}
			if took := time.Since(begin); took > time.Minute {
				t.Errorf("%s: took %s", name, took)
			}
		})
	}
}
