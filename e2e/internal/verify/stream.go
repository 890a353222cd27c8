package verify

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// Record is one record of the stream: its position, and the number its message
// carries. No two records are equal.
type Record struct {
	Shard, Sequence string
	Number          int64
}

// StreamReader reads every record of a stream, on and on: each call of Read
// goes on where the last one ended, new shards included.
type StreamReader struct {
	client    *kinesis.Client
	stream    string
	iterators map[string]*string // nil: read to its end
	shards    map[string][]Record
}

// NewStreamReader makes a reader that begins at the oldest record.
func NewStreamReader(client *kinesis.Client, stream string) *StreamReader {
	return &StreamReader{client: client, stream: stream, iterators: map[string]*string{}, shards: map[string][]Record{}}
}

// Read reads up to the tip of every shard and returns all records so far, in
// order, per shard.
func (r *StreamReader) Read(ctx context.Context) (map[string][]Record, error) {
	if err := r.discover(ctx); err != nil {
		return nil, err
	}
	for shard := range r.iterators {
		if err := r.readShard(ctx, shard); err != nil {
			return nil, err
		}
	}
	return r.shards, nil
}

func (r *StreamReader) discover(ctx context.Context) error {
	in := &kinesis.ListShardsInput{StreamName: &r.stream}
	for {
		out, err := r.client.ListShards(ctx, in)
		if err != nil {
			return fmt.Errorf("list shards: %w", err)
		}
		for _, shard := range out.Shards {
			if err := r.open(ctx, aws.ToString(shard.ShardId)); err != nil {
				return err
			}
		}
		if out.NextToken == nil {
			return nil
		}
		in = &kinesis.ListShardsInput{NextToken: out.NextToken}
	}
}

func (r *StreamReader) open(ctx context.Context, shard string) error {
	if _, known := r.iterators[shard]; known {
		return nil
	}
	out, err := r.client.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{
		StreamName: &r.stream, ShardId: &shard, ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	})
	if err != nil {
		return fmt.Errorf("open shard %q: %w", shard, err)
	}
	r.iterators[shard], r.shards[shard] = out.ShardIterator, nil
	return nil
}

func (r *StreamReader) readShard(ctx context.Context, shard string) error {
	for r.iterators[shard] != nil {
		out, err := r.client.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: r.iterators[shard]})
		if err != nil {
			return fmt.Errorf("read shard %q: %w", shard, err)
		}
		for _, record := range out.Records {
			number, err := messageNumber(record.Data)
			if err != nil {
				return fmt.Errorf("read shard %q: %w", shard, err)
			}
			r.shards[shard] = append(r.shards[shard], Record{Shard: shard, Sequence: aws.ToString(record.SequenceNumber), Number: number})
		}
		r.iterators[shard] = out.NextShardIterator
		if aws.ToInt64(out.MillisBehindLatest) == 0 { // one read of a shard that is not behind: its rate is limited
			return nil
		}
	}
	return nil
}

// messageNumber takes the number out of a message, {"foo":"bar","record":i}.
func messageNumber(data []byte) (int64, error) {
	var message struct {
		Record *int64 `json:"record"`
	}
	if err := json.Unmarshal(data, &message); err != nil {
		return 0, fmt.Errorf("decode message: %w", err)
	}
	if message.Record == nil {
		return 0, fmt.Errorf("message without a record number: %.80s", data)
	}
	return *message.Record, nil
}
