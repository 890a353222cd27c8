// Package dynamo executes the lease package's operations on two DynamoDB
// tables: one attempt each, conditional where the operation has a condition,
// and maps what came of it to an outcome. It does exactly what the Apply
// methods of package lease say.
//
// It never creates a table, and repeats nothing: whoever asked knows better
// whether a repetition still makes sense.
package dynamo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// API is the part of the DynamoDB client that operations need.
type API interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	DeleteItem(context.Context, *dynamodb.DeleteItemInput, ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
	Scan(context.Context, *dynamodb.ScanInput, ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
	DescribeTable(context.Context, *dynamodb.DescribeTableInput, ...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error)
}

// Tables executes operations on the lease and the worker table. It is safe for
// concurrent use.
type Tables struct {
	api             API
	leases, workers string
	attempt         time.Duration
}

// New returns Tables by their names. attempt bounds every single request of those
// that a heartbeat waits for, and must be well inside one; others may take a second.
// The client must not retry by itself.
func New(api API, leaseTable, workerTable string, attempt time.Duration) *Tables {
	return &Tables{api: api, leases: leaseTable, workers: workerTable, attempt: attempt}
}

// unhurried bounds a request that no heartbeat waits for.
func (t *Tables) unhurried() time.Duration { return max(t.attempt, time.Second) }

// Execute makes one attempt at op, which is no ListShards.
func (t *Tables) Execute(ctx context.Context, op lease.Op) lease.Answer {
	switch op := op.(type) {
	case lease.LeaseWrite:
		return t.writeLease(ctx, op)
	case lease.WorkerWrite:
		return t.writeWorker(ctx, op)
	case lease.StreamWrite:
		return t.writeStream(ctx, op)
	case lease.GetLease:
		return t.getLease(ctx, op)
	case lease.ScanWorkers:
		return t.scanWorkers(ctx)
	case lease.ScanLeases:
		return t.scanLeases(ctx)
	}
	return lease.Answer{Outcome: lease.Failed, Err: fmt.Errorf("execute %T: no such operation on a table", op)}
}

func (t *Tables) getLease(ctx context.Context, op lease.GetLease) lease.Answer {
	ctx, cancel := context.WithTimeout(ctx, t.attempt)
	defer cancel()
	out, err := t.api.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &t.leases, Key: key(leaseKey, op.Shard), ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return failure("read lease "+op.Shard, err)
	}
	return lease.Answer{Outcome: lease.Applied, Lease: leaseRow(out.Item)}
}

func (t *Tables) scanLeases(ctx context.Context) lease.Answer {
	a := lease.Answer{Outcome: lease.Applied}
	err := t.scan(ctx, t.leases, t.unhurried(), func(i item) {
		if row := leaseRow(i); row != nil {
			a.Leases = append(a.Leases, row)
		}
	})
	if err != nil {
		return failure("scan leases", err)
	}
	return a
}

func (t *Tables) scanWorkers(ctx context.Context) lease.Answer {
	a := lease.Answer{Outcome: lease.Applied}
	err := t.scan(ctx, t.workers, t.attempt, func(i item) {
		if text(i, workerKey) == lease.StreamKey {
			a.Stream = streamRow(i)
			return
		}
		a.Workers = append(a.Workers, workerRow(i))
	})
	if err != nil {
		return failure("scan workers", err)
	}
	return a
}

// scan reads every page of a table, consistently; attempt bounds each page.
func (t *Tables) scan(ctx context.Context, table string, attempt time.Duration, take func(item)) error {
	in := &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)}
	for {
		out, err := t.page(ctx, attempt, in)
		if err != nil {
			return err
		}
		for _, i := range out.Items {
			take(i)
		}
		if len(out.LastEvaluatedKey) == 0 {
			return nil
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

func (t *Tables) page(ctx context.Context, attempt time.Duration, in *dynamodb.ScanInput) (*dynamodb.ScanOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, attempt)
	defer cancel()
	return t.api.Scan(ctx, in)
}

func key(name, value string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{name: &types.AttributeValueMemberS{Value: value}}
}

// failure maps an error of the SDK to an outcome. A condition that failed is
// none: it is looked for before.
func failure(doing string, err error) lease.Answer {
	outcome := lease.Unknown
	if certain(err) {
		outcome = lease.Failed
	}
	return lease.Answer{Outcome: outcome, Err: fmt.Errorf("%s: %w", doing, err)}
}

// certain tells whether the error says that nothing was done and never will be:
// the service answered and refused. Everything else, a time-out above all,
// leaves it open.
func certain(err error) bool {
	var coded interface{ ErrorCode() string }
	if !errors.As(err, &coded) {
		return false
	}
	switch coded.ErrorCode() {
	case "ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded",
		"ThrottlingError", "ResourceNotFoundException", "ValidationException", "AccessDeniedException",
		"ItemCollectionSizeLimitExceededException", "UnrecognizedClientException", "ExpiredTokenException",
		"MissingAuthenticationTokenException", "InvalidSignatureException":
		return true
	}
	return false
}

// met returns the item a failed condition met, and whether err is one.
func met(err error) (map[string]types.AttributeValue, bool) {
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) {
		return nil, false
	}
	return failed.Item, true
}

// Open tells whether an error of AWS leaves it open what the answer would have
// been: no answer, a fault of the service, too many requests, or a signature by
// a clock that is off, from which the SDK learns for its next call. It is for
// whoever may ask again.
func Open(err error) bool {
	var skewed interface{ RetryableError() bool }
	if errors.As(err, &skewed) && skewed.RetryableError() {
		return true
	}
	var answered interface{ HTTPStatusCode() int }
	if errors.As(err, &answered) && answered.HTTPStatusCode() >= http.StatusInternalServerError {
		return true
	}
	var coded interface{ ErrorCode() string }
	if !errors.As(err, &coded) {
		var operation *smithy.OperationError // of the SDK: no answer at all
		return errors.As(err, &operation)
	}
	switch coded.ErrorCode() {
	case "ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded", "ThrottlingError", "LimitExceededException":
		return true
	}
	return false
}
