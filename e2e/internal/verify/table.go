package verify

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Items counts the items of the messages table by the record they say they are
// of: its shard, its sequence number and the number its message carries.
type Items map[Record]int

// Numbers counts the items by the number alone, wherever they stand.
func (i Items) Numbers() map[int64]int {
	numbers := make(map[int64]int, len(i))
	for record, n := range i {
		numbers[record.Number] += n
	}
	return numbers
}

// ScanMessages reads the whole messages table, consistently.
func ScanMessages(ctx context.Context, client *dynamodb.Client, table string) (Items, error) {
	items := Items{}
	err := scan(ctx, client, table, func(item map[string]types.AttributeValue) error {
		number, err := itemNumber(item)
		if err == nil {
			items[Record{Shard: text(item["shardId"]), Sequence: text(item["sequenceNumber"]), Number: number}]++
		}
		return err
	})
	return items, err
}

// Newest returns the newest sequence number of each shard that has an item,
// consistently.
func Newest(ctx context.Context, client *dynamodb.Client, table string) (map[string]string, error) {
	newest := map[string]string{}
	err := scan(ctx, client, table, func(item map[string]types.AttributeValue) error {
		shard, sequence := text(item["shardId"]), text(item["sequenceNumber"])
		if newest[shard] == "" || compareSequence(sequence, newest[shard]) > 0 {
			newest[shard] = sequence
		}
		return nil
	})
	return newest, err
}

// CountItems counts the items of a table.
func CountItems(ctx context.Context, client *dynamodb.Client, table string) (int, error) {
	count := 0
	err := scan(ctx, client, table, func(map[string]types.AttributeValue) error { count++; return nil })
	return count, err
}

func scan(ctx context.Context, client *dynamodb.Client, table string, each func(map[string]types.AttributeValue) error) error {
	in := &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)}
	for {
		out, err := client.Scan(ctx, in)
		if err != nil {
			return fmt.Errorf("scan %q: %w", table, err)
		}
		for _, item := range out.Items {
			if err := each(item); err != nil {
				return fmt.Errorf("scan %q: %w", table, err)
			}
		}
		if len(out.LastEvaluatedKey) == 0 {
			return nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

// itemNumber takes the record number out of an item: `meta` is the message, as
// JSON or as a map.
func itemNumber(item map[string]types.AttributeValue) (int64, error) {
	switch meta := item["meta"].(type) {
	case *types.AttributeValueMemberS:
		return messageNumber([]byte(meta.Value))
	case *types.AttributeValueMemberB:
		return messageNumber(meta.Value)
	case *types.AttributeValueMemberM:
		if n, ok := meta.Value["record"].(*types.AttributeValueMemberN); ok {
			number, err := strconv.ParseInt(n.Value, 10, 64)
			if err != nil {
				return 0, fmt.Errorf("decode record number %q: %w", n.Value, err)
			}
			return number, nil
		}
	}
	return 0, fmt.Errorf("item without a message: %v", keysOf(item))
}

func keysOf(item map[string]types.AttributeValue) []string {
	keys := make([]string, 0, len(item))
	for key := range item {
		keys = append(keys, key)
	}
	return keys
}
