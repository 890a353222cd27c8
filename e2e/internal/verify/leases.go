package verify

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// ShardEnd is the checkpoint of a shard that is done.
const ShardEnd = "SHARD_END"

// LeaseRow is what the lease table says of one shard.
type LeaseRow struct {
	Shard, Owner, Checkpoint string
	Counter                  string
}

// ScanLeases reads the lease table, consistently.
func ScanLeases(ctx context.Context, client *dynamodb.Client, table string) ([]LeaseRow, error) {
	var rows []LeaseRow
	err := scan(ctx, client, table, func(item map[string]types.AttributeValue) error {
		rows = append(rows, LeaseRow{
			Shard: text(item["leaseKey"]), Owner: text(item["leaseOwner"]),
			Checkpoint: text(item["checkpoint"]), Counter: text(item["leaseCounter"]),
		})
		return nil
	})
	return rows, err
}

func text(v types.AttributeValue) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return v.Value
	case *types.AttributeValueMemberN:
		return v.Value
	default:
		return ""
	}
}
