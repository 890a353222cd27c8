// Package deadletter keeps the messages that are given up in a DynamoDB table,
// with their place in the stream and the reason, and gives them back.
package deadletter

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/handler"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/attempt"
)

// Names of a dead letter's attributes.
const (
	attrID        = "id"
	attrStream    = "stream"
	attrShard     = "shardId"
	attrSequence  = "sequenceNumber"
	attrSub       = "subSequenceNumber"
	attrKey       = "partitionKey"
	attrReason    = "reason"
	attrAttempts  = "attempts"
	attrArrivedAt = "arrivedAt"
	attrFailedAt  = "failedAt"
	attrSize      = "payloadBytes"
	attrMeta      = "meta"
)

const (
	maxPayload  = 380 << 10 // of DynamoDB's 400 KiB an item
	maxReason   = 1024
	maxKey      = 2048 // Kinesis takes 256 characters; those in an aggregate may be of any length
	callTimeout = 10 * time.Second
)

// Table is a table of dead letters. It is an attempt.Burier.
type Table struct {
	client *dynamodb.Client
	name   string
}

// New returns a Table.
func New(cfg aws.Config, name string) *Table {
	return &Table{client: dynamodb.NewFromConfig(cfg), name: name}
}

// Bury writes a letter under its message's ID. The payload is left out when it,
// or the key, does not fit; it is in the stream while that keeps it. There is no
// message whose letter DynamoDB would refuse: it would block its shard for good.
func (t *Table) Bury(ctx context.Context, l attempt.Letter) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := t.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(t.name), Item: item(l, time.Now())})
	if err != nil {
		return fmt.Errorf("write dead letter to table %q: %w", t.name, err)
	}
	return nil
}

func item(l attempt.Letter, now time.Time) map[string]types.AttributeValue {
	m := l.Message
	it := map[string]types.AttributeValue{
		attrID: text(m.ID()), attrStream: text(m.Stream), attrShard: text(m.Shard), attrSequence: text(m.Sequence),
		attrSub: number(m.SubSequence), attrKey: exact(cut(m.PartitionKey, maxKey)), attrReason: text(cut(l.Reason, maxReason)),
		attrAttempts: number(int64(l.Attempts)), attrArrivedAt: number(m.ArrivedAt.UnixMilli()),
		attrFailedAt: number(now.UnixMilli()), attrSize: number(int64(len(m.Data))),
	}
	switch {
	case len(m.Data) > maxPayload, len(m.PartitionKey) > maxKey:
	case json.Valid(m.Data) && utf8.Valid(m.Data):
		it[attrMeta] = &types.AttributeValueMemberS{Value: string(m.Data)}
	default:
		it[attrMeta] = binary(m.Data)
	}
	return it
}

// exact returns a string that may be no UTF-8.
func exact(s string) types.AttributeValue {
	if utf8.ValidString(s) {
		return text(s)
	}
	return binary([]byte(s))
}

// binary returns bytes: none at all are not nil, which the SDK would send as null.
func binary(b []byte) types.AttributeValue {
	return &types.AttributeValueMemberB{Value: append([]byte{}, b...)}
}

func text(s string) types.AttributeValue {
	return &types.AttributeValueMemberS{Value: strings.ToValidUTF8(s, "\uFFFD")}
}

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n]
}

// Letter is a dead letter read back.
type Letter struct {
	Message handler.Message
	Reason  string
	Missing bool // the payload did not fit
}

// Scan calls f with every letter until it returns an error, which Scan returns.
func (t *Table) Scan(ctx context.Context, f func(Letter) error) error {
	pages := dynamodb.NewScanPaginator(t.client, &dynamodb.ScanInput{TableName: aws.String(t.name), ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := next(ctx, pages)
		if err != nil {
			return fmt.Errorf("read dead letters of table %q: %w", t.name, err)
		}
		for _, it := range page.Items {
			if err := f(letter(it)); err != nil {
				return err
			}
		}
	}
	return nil
}

func next(ctx context.Context, pages *dynamodb.ScanPaginator) (*dynamodb.ScanOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return pages.NextPage(ctx) //nolint:wrapcheck // the caller names the table
}

func letter(it map[string]types.AttributeValue) Letter {
	s := func(name string) string {
		switch v := it[name].(type) {
		case *types.AttributeValueMemberS:
			return v.Value
		case *types.AttributeValueMemberB:
			return string(v.Value)
		}
		return ""
	}
	n := func(name string) int64 {
		v, ok := it[name].(*types.AttributeValueMemberN)
		if !ok {
			return 0
		}
		i, _ := strconv.ParseInt(v.Value, 10, 64) // this package wrote it
		return i
	}
	l := Letter{Reason: s(attrReason), Message: handler.Message{
		Stream: s(attrStream), Shard: s(attrShard), Sequence: s(attrSequence), SubSequence: n(attrSub),
		PartitionKey: s(attrKey), ArrivedAt: time.UnixMilli(n(attrArrivedAt)),
	}}
	switch v := it[attrMeta].(type) {
	case *types.AttributeValueMemberS:
		l.Message.Data = []byte(v.Value)
	case *types.AttributeValueMemberB:
		l.Message.Data = v.Value
	default:
		l.Missing = true
	}
	return l
}

// Remove removes the letter of a message that was handled after all.
func (t *Table) Remove(ctx context.Context, m handler.Message) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	_, err := t.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: aws.String(t.name), Key: map[string]types.AttributeValue{attrID: text(m.ID())},
	})
	if err != nil {
		return fmt.Errorf("remove dead letter %q: %w", m.ID(), err)
	}
	return nil
}
