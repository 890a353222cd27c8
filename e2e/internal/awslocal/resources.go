package awslocal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// Names of what the harness creates: the defaults of the binaries' settings.
const (
	Stream          = "test"
	MessagesTable   = "messages"
	LeaseTable      = "leases"
	WorkerTable     = "workers"
	DeadLetterTable = "dead_letters"
)

// expiresAt is the attribute of an item with the second it expires at.
const expiresAt = "expiresAt"

const activeTimeout = 30 * time.Second

// CreateAll creates the stream and every table, and waits until they can be used.
func (s *Server) CreateAll(ctx context.Context, shards int32) error {
	if err := s.CreateStream(ctx, Stream, shards); err != nil {
		return err
	}
	for table, key := range map[string]string{
		MessagesTable: "id", LeaseTable: "leaseKey", WorkerTable: "workerId", DeadLetterTable: "id",
	} {
		if err := s.CreateTable(ctx, table, key); err != nil {
			return err
		}
	}
	if s.Admin == nil {
		return nil // other servers do not know time to live
	}
	for _, table := range []string{MessagesTable, WorkerTable, DeadLetterTable} { // as modules/dynamodb does
		if err := s.expire(ctx, table); err != nil {
			return err
		}
	}
	return nil
}

// expire has a table's items deleted when their time is over: by localaws at
// the next call, by the service within days.
func (s *Server) expire(ctx context.Context, table string) error {
	_, err := s.DynamoDB.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName:               &table,
		TimeToLiveSpecification: &dynamotypes.TimeToLiveSpecification{AttributeName: aws.String(expiresAt), Enabled: aws.Bool(true)},
	})
	if err != nil {
		return fmt.Errorf("switch on time to live of %q: %w", table, err)
	}
	return nil
}

// CreateStream creates a stream and waits until it is active.
func (s *Server) CreateStream(ctx context.Context, name string, shards int32) error {
	if _, err := s.Kinesis.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: &name, ShardCount: &shards}); err != nil {
		return fmt.Errorf("create stream %q: %w", name, err)
	}
	return s.WaitStream(ctx, name)
}

// WaitStream waits until a stream is active.
func (s *Server) WaitStream(ctx context.Context, name string) error {
	return poll(ctx, activeTimeout, func() (bool, error) {
		out, err := s.Kinesis.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: &name})
		if err != nil {
			return false, fmt.Errorf("describe stream %q: %w", name, err)
		}
		return out.StreamDescriptionSummary.StreamStatus == types.StreamStatusActive, nil
	})
}

// CreateTable creates a table with a hash key of strings and waits until it is active.
func (s *Server) CreateTable(ctx context.Context, name, key string) error {
	_, err := s.DynamoDB.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: dynamotypes.BillingModePayPerRequest,
		AttributeDefinitions: []dynamotypes.AttributeDefinition{{AttributeName: &key, AttributeType: dynamotypes.ScalarAttributeTypeS}},
		KeySchema:            []dynamotypes.KeySchemaElement{{AttributeName: &key, KeyType: dynamotypes.KeyTypeHash}},
	})
	if err != nil {
		return fmt.Errorf("create table %q: %w", name, err)
	}
	return poll(ctx, activeTimeout, func() (bool, error) {
		out, err := s.DynamoDB.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(name)})
		if err != nil {
			return false, fmt.Errorf("describe table %q: %w", name, err)
		}
		return out.Table.TableStatus == dynamotypes.TableStatusActive, nil
	})
}

// poll asks until done, an error, the timeout or the end of ctx: every 100 ms,
// half as often as Kinesis lets streams be described.
func poll(ctx context.Context, timeout time.Duration, done func() (bool, error)) error {
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		ok, err := done()
		if err != nil || ok {
			return err
		}
		select {
		case <-ticker.C:
		case <-deadline.C:
			return errors.New("not active in time")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
