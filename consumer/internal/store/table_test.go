package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/handler"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/awstest"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/store"
)

var localaws string

func TestMain(m *testing.M) { os.Exit(awstest.Main(m, &localaws)) }

type bench struct {
	aws       *awstest.Server
	table     *store.Table
	throttled atomic.Int64
	waited    atomic.Int64
}

func arrange(t *testing.T, ttl time.Duration) *bench {
	b := &bench{aws: awstest.Start(t, localaws)}
	b.aws.Table("messages")
	b.table = store.New(b.aws.Config("writer"), store.Options{
		Name: "messages", ItemTTL: ttl, Throttled: func(n int) { b.throttled.Add(int64(n)) },
		Waited: func(n int) { b.waited.Add(int64(n)) }, Log: zerolog.Nop(),
	})
	return b
}

func messages(n int) []handler.Message {
	var list []handler.Message
	for i := range n {
		list = append(list, handler.Message{
			Stream: "test", Shard: "shardId-000000000000", Sequence: fmt.Sprint(100 + i), PartitionKey: fmt.Sprint("key ", i),
			ArrivedAt: time.UnixMilli(1_700_000_000_000), Data: fmt.Appendf(nil, `{"record":%d}`, i),
		})
	}
	return list
}

func TestTable_Handle(t *testing.T) {
	b := arrange(t, time.Minute)
	batch := messages(25)
	batch[1].Data = []byte{0xff, 0xfe}
	batch[2].SubSequence = 7
	for range 2 { // twice is the same as once
		if err := b.table.Handle(context.Background(), batch); err != nil {
			t.Fatal(err)
		}
	}
	if n := b.aws.Errors("BatchWriteItem"); n > 0 {
		t.Errorf("%d calls were answered with an error", n)
	}
	items := b.aws.Items("messages")
	if len(items) != 25 {
		t.Fatalf("got %d items, want 25", len(items))
	}
	byID := map[string]map[string]ddb.AttributeValue{}
	for _, it := range items {
		byID[it["id"].(*ddb.AttributeValueMemberS).Value] = it
	}
	it := byID["shardId-000000000000/100/0"]
	for name, want := range map[string]string{"meta": `{"record":0}`, "partitionKey": "key 0", "shardId": "shardId-000000000000", "sequenceNumber": "100"} {
		if got, ok := it[name].(*ddb.AttributeValueMemberS); !ok || got.Value != want {
			t.Errorf("%s: got %v, want %q", name, it[name], want)
		}
	}
	if got := it["arrivedAt"].(*ddb.AttributeValueMemberN).Value; got != "1700000000000" {
		t.Errorf("arrivedAt: got %s", got)
	}
	if got := it["expiresAt"].(*ddb.AttributeValueMemberN).Value; got != "1700000060" {
		t.Errorf("expiresAt: got %s", got)
	}
	if got := byID["shardId-000000000000/101/0"]["meta"].(*ddb.AttributeValueMemberB).Value; string(got) != "\xff\xfe" {
		t.Errorf("binary meta: got %q", got)
	}
	if byID["shardId-000000000000/102/7"] == nil {
		t.Error("the sub-sequence is not in the id")
	}
}

// TestTable_Faults writes everything under faults that pass.
func TestTable_Faults(t *testing.T) {
	for name, rule := range map[string]string{
		"unprocessed":   `{"operation":"BatchWriteItem","kind":"partial","rate":0.5,"count":8}`,
		"throttled":     `{"operation":"BatchWriteItem","kind":"throttle","count":4}`,
		"server error":  `{"operation":"BatchWriteItem","kind":"error","status":500,"code":"InternalServerError","count":3}`,
		"dropped":       `{"operation":"BatchWriteItem","kind":"drop","count":4}`,
		"answers lost":  `{"operation":"BatchWriteItem","kind":"lose_response","count":3}`,
		"token expired": `{"operation":"BatchWriteItem","kind":"error","status":400,"code":"ExpiredTokenException","count":3}`,
		"table is gone": `{"operation":"BatchWriteItem","kind":"error","status":400,"code":"ResourceNotFoundException","count":3}`,
	} {
		t.Run(name, func(t *testing.T) {
			b := arrange(t, 0)
			b.aws.Fault(`{"service":"dynamodb","client":"writer",` + rule[1:])
			if err := b.table.Handle(context.Background(), messages(25)); err != nil {
				t.Fatal(err)
			}
			if n := b.aws.Count("messages"); n != 25 {
				t.Fatalf("got %d items, want 25", n)
			}
			throttled := name == "throttled" || name == "unprocessed"
			if got := b.throttled.Load() > 0; got != throttled {
				t.Errorf("got throttling counted: %v, want %v", got, throttled)
			}
			if got := b.waited.Load() > 0; got == throttled {
				t.Errorf("got waiting counted: %v, want %v", got, !throttled)
			}
		})
	}
}

// TestTable_Poison has items that DynamoDB never takes among good ones.
func TestTable_Poison(t *testing.T) {
	b := arrange(t, 0)
	batch := messages(25)
	batch[3].Data = []byte(`"` + strings.Repeat("x", 400<<10) + `"`) // found before the call
	batch[4].Shard = ""                                              // its id is fine
	batch[5].Data = []byte(strings.Repeat("x", 399<<10))             // just fits
	err := b.table.Handle(context.Background(), batch)
	var failed handler.Failed
	if !errors.As(err, &failed) || len(failed) != 1 || !errors.Is(failed[3], handler.ErrPermanent) {
		t.Fatalf("got %v, want number 3 permanently failed", err)
	}
	if n := b.aws.Count("messages"); n != 24 {
		t.Fatalf("got %d items, want 24", n)
	}
}

// TestTable_Isolates has the table refuse whole batches: the items are then
// written one by one, and those refused alone are permanent failures.
func TestTable_Isolates(t *testing.T) {
	b := arrange(t, 0)
	b.aws.Fault(`{"service":"dynamodb","client":"writer","operation":"BatchWriteItem","kind":"error","status":400,"code":"ValidationException","count":2}`)
	err := b.table.Handle(context.Background(), messages(25))
	var failed handler.Failed
	if !errors.As(err, &failed) || len(failed) != 1 || !errors.Is(failed[0], handler.ErrPermanent) {
		t.Fatalf("got %v, want number 0 alone", err)
	}
	if n := b.aws.Count("messages"); n != 24 {
		t.Fatalf("got %d items, want 24", n)
	}
}

// TestTable_Deadline gives up when the grant's context ends, and says what is
// not written.
func TestTable_Deadline(t *testing.T) {
	b := arrange(t, 0)
	b.aws.Fault(`{"service":"dynamodb","client":"writer","operation":"BatchWriteItem","kind":"throttle"}`)
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	err := b.table.Handle(ctx, messages(5))
	var failed handler.Failed
	if !errors.As(err, &failed) || len(failed) != 5 || !errors.Is(failed[4], handler.ErrUnavailable) {
		t.Fatalf("got %v, want all 5 unavailable", err)
	}
}
