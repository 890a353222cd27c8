package deadletter_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/handler"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/attempt"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/awstest"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/deadletter"
)

var localaws string

func TestMain(m *testing.M) { os.Exit(awstest.Main(m, &localaws)) }

// TestTable_Letters writes letters of all kinds, reads them back and removes
// them: none is too large or too odd to be kept.
func TestTable_Letters(t *testing.T) {
	aws := awstest.Start(t, localaws)
	aws.Table("dead_letters")
	table := deadletter.New(aws.Config("writer"), "dead_letters")
	long := strings.Repeat("k", 3000)
	for name, tc := range map[string]struct {
		key     string
		data    []byte
		reason  string
		missing bool   // the payload does not fit
		kept    string // the key that is read back
	}{
		"json":            {key: "key", data: []byte(`{"a":1,"a":1e999}`), kept: "key"},
		"bytes":           {key: "key", data: []byte{0xff, 0}, kept: "key"},
		"empty":           {key: "key", kept: "key"},
		"just fits":       {key: "key", data: bytes.Repeat([]byte("x"), 380<<10), kept: "key"},
		"too large":       {key: "key", data: bytes.Repeat([]byte("x"), 380<<10+1), missing: true, kept: "key"},
		"ten MiB":         {key: "key", data: bytes.Repeat([]byte("x"), 10<<20), missing: true, kept: "key"},
		"long reason":     {key: "key", data: []byte("x"), reason: strings.Repeat("é", 500<<10), kept: "key"},
		"key of bytes":    {key: "k\xff", data: []byte("x"), kept: "k\xff"},
		"empty key":       {data: []byte("x")},
		"long key":        {key: long, data: []byte("x"), missing: true, kept: long[:2048]},
		"key of 500 KiB":  {key: strings.Repeat("k", 500<<10), data: bytes.Repeat([]byte("x"), 380<<10), missing: true, kept: long[:2048]},
		"far sub-message": {key: "key", data: []byte("x"), kept: "key"},
	} {
		t.Run(name, func(t *testing.T) {
			m := handler.Message{
				Stream: "test", Shard: "shardId-000000000000", Sequence: "4961", SubSequence: 7, PartitionKey: tc.key,
				ArrivedAt: time.UnixMilli(1_700_000_000_123), Data: tc.data,
			}
			if tc.reason == "" {
				tc.reason = "too odd"
			}
			if err := table.Bury(context.Background(), attempt.Letter{Message: m, Reason: tc.reason, Attempts: 3}); err != nil {
				t.Fatal(err)
			}
			it := aws.Items("dead_letters")[0]
			for attribute, want := range map[string]string{
				"attempts": "3", "subSequenceNumber": "7", "arrivedAt": "1700000000123", "payloadBytes": fmt.Sprint(len(tc.data)),
			} {
				if got, ok := it[attribute].(*ddb.AttributeValueMemberN); !ok || got.Value != want {
					t.Errorf("%s: got %v, want %s", attribute, it[attribute], want)
				}
			}
			if got, ok := it["failedAt"].(*ddb.AttributeValueMemberN); !ok || len(got.Value) != 13 {
				t.Errorf("failedAt: got %v", it["failedAt"])
			}
			var got []deadletter.Letter
			if err := table.Scan(context.Background(), func(l deadletter.Letter) error { got = append(got, l); return nil }); err != nil || len(got) != 1 {
				t.Fatalf("got %d letters, %v, want one", len(got), err)
			}
			l := got[0]
			if l.Missing != tc.missing || !tc.missing && !bytes.Equal(l.Message.Data, tc.data) {
				t.Errorf("got a payload of %d bytes, missing %v, want %d, %v", len(l.Message.Data), l.Missing, len(tc.data), tc.missing)
			}
			if !strings.HasPrefix(tc.reason, strings.TrimRight(l.Reason, "\uFFFD")) || len(l.Reason) > 1026 {
				t.Errorf("got a reason of %d bytes, want the first KiB of it", len(l.Reason))
			}
			l.Message.Data, m.Data, m.PartitionKey = nil, nil, tc.kept
			if l.Message.ID() != m.ID() || l.Message.PartitionKey != m.PartitionKey || l.Message.Stream != m.Stream || !l.Message.ArrivedAt.Equal(m.ArrivedAt) {
				t.Errorf("got %.200v, want %.200v", l.Message, m)
			}
			if err := table.Remove(context.Background(), l.Message); err != nil || aws.Count("dead_letters") != 0 {
				t.Errorf("the letter cannot be removed: %v", err)
			}
		})
	}
}
