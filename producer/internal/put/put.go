// Package put is the edge to Kinesis: it sends one PutRecords request and says
// what became of each entry, or what is known when there is no answer.
//
// It does not retry. The SDK's own retries are off for these requests, because
// a request that was executed but not answered must be counted as such.
package put

import (
	"context"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/aggregate"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/record"
)

// Limits of one PutRecords request. The service takes 10 MiB, older ones and
// emulators 5 MiB; a request only passes 5 MiB for a single larger record.
const (
	MaxRecords = 500
	MaxBytes   = 5 << 20
)

// API is the part of the Kinesis client that is used.
type API interface {
	PutRecords(context.Context, *kinesis.PutRecordsInput, ...func(*kinesis.Options)) (*kinesis.PutRecordsOutput, error)
}

// Client puts records on one stream. Safe for concurrent use.
type Client struct {
	api    API
	stream string
	inputs sync.Pool
}

// New returns a client for the named stream.
func New(api API, stream string) *Client {
	return &Client{api: api, stream: stream, inputs: sync.Pool{New: func() any { return new(input) }}}
}

type input struct {
	entries []types.PutRecordsRequestEntry
}

// Put sends the records in one request, once. The outcomes are in the order of
// the records. The error is an *Error.
func (c *Client) Put(ctx context.Context, records []record.Record) ([]record.Outcome, error) {
	in := c.inputs.Get().(*input)
	defer func() {
		clear(in.entries)
		c.inputs.Put(in)
	}()
	in.entries = in.entries[:0]
	for i := range records {
		in.entries = append(in.entries, entry(&records[i]))
	}
	ctx, flag := watch(ctx)
	defer func() {
		if flag.body != nil {
			flag.body.leave()
		}
	}()
	out, err := c.api.PutRecords(ctx, &kinesis.PutRecordsInput{StreamName: &c.stream, Records: in.entries}, Once)
	if err != nil {
		return nil, classify(err, flag.unsent())
	}
	if len(out.Records) != len(records) {
		return nil, &Error{Kind: Lost, Code: "BadAnswer", Err: fmt.Errorf("put records: the answer has %d entries, want %d", len(out.Records), len(records))}
	}
	outcomes := make([]record.Outcome, len(records))
	for i, result := range out.Records {
		outcomes[i] = record.Outcome{Shard: aws.ToString(result.ShardId), Code: aws.ToString(result.ErrorCode)}
	}
	return outcomes, nil
}

// entry makes the request's entry of a record. Several messages are packed now
// and not before, so that they are held in memory once.
func entry(r *record.Record) types.PutRecordsRequestEntry {
	if r.Many == nil {
		return types.PutRecordsRequestEntry{Data: r.One.Data, PartitionKey: &r.One.Key}
	}
	return types.PutRecordsRequestEntry{
		Data:            aggregate.Encode(r.Many),
		PartitionKey:    &r.Many[0].Key,
		ExplicitHashKey: aws.String(r.Hash.Decimal()),
	}
}
