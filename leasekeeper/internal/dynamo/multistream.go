package dynamo

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// ErrMultiStream says that the lease table is that of a KCL application which
// reads several streams: its keys are account:stream:creation:shard.
var ErrMultiStream = errors.New("the table has leases of several streams, as a multi-stream application of the KCL makes them; " +
	"a leasekeeper serves one stream: give it a table of its own in LEASEKEEPER_LEASE_TABLE")

// Scanner is the part of the DynamoDB client that CheckSingleStream needs.
type Scanner interface {
	Scan(context.Context, *dynamodb.ScanInput, ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
}

// CheckSingleStream reads the keys of the lease table, every page of them, and
// returns an error that wraps ErrMultiStream for one of a multi-stream table.
func CheckSingleStream(ctx context.Context, api Scanner, table string) error {
	in := &dynamodb.ScanInput{TableName: &table, ProjectionExpression: aws.String(leaseKey), ConsistentRead: aws.Bool(true)}
	for {
		out, err := api.Scan(ctx, in)
		if err != nil {
			return fmt.Errorf("scan leases: %w", err)
		}
		for _, item := range out.Items {
			if id := text(item, leaseKey); strings.Count(id, ":") >= 3 {
				return fmt.Errorf("table %q, lease %q: %w", table, id, ErrMultiStream)
			}
		}
		if len(out.LastEvaluatedKey) == 0 {
			return nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}
