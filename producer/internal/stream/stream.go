// Package stream reads what the producer must know of its stream before the
// first message: that it is there, its open shards, its largest record.
package stream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/shards"
)

// DefaultMaxRecord is the largest record of a stream whose limit was not raised.
const DefaultMaxRecord = 1 << 20

// pause is between two looks at a stream that is changing.
const pause = 200 * time.Millisecond

// ErrNotFound is wrapped when the stream is not there.
var ErrNotFound = errors.New("no such stream")

// API is the part of the Kinesis client that is used.
type API interface {
	DescribeStreamSummary(context.Context, *kinesis.DescribeStreamSummaryInput, ...func(*kinesis.Options)) (*kinesis.DescribeStreamSummaryOutput, error)
	ListShards(context.Context, *kinesis.ListShardsInput, ...func(*kinesis.Options)) (*kinesis.ListShardsOutput, error)
}

// Stream is one stream by its name.
type Stream struct {
	api  API
	name string
}

// New returns the named stream.
func New(api API, name string) *Stream { return &Stream{api: api, name: name} }

// MaxRecord returns the largest record the stream takes, partition key
// included, in bytes. It waits while the stream is being created.
func (s *Stream) MaxRecord(ctx context.Context) (int, error) {
	for {
		out, err := s.api.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: &s.name})
		if err != nil {
			return 0, s.explain("describe", err)
		}
		summary := out.StreamDescriptionSummary
		switch summary.StreamStatus {
		default:
		case types.StreamStatusDeleting:
			return 0, fmt.Errorf("stream %q is being deleted: %w", s.name, ErrNotFound)
		case types.StreamStatusCreating:
			select {
			case <-time.After(pause):
				continue
			case <-ctx.Done():
				return 0, fmt.Errorf("stream %q is still being created: try again when it is ACTIVE: %w", s.name, ErrNotFound)
			}
		}
		if kib := aws.ToInt32(summary.MaxRecordSizeInKiB); kib > 0 {
			return int(kib) << 10, nil
		}
		return DefaultMaxRecord, nil
	}
}

// Shards reads the stream's shards. While they are being divided or merged, what
// is read may not fit together: it is then read again, until ctx ends.
func (s *Stream) Shards(ctx context.Context) (*shards.Map, error) {
	for {
		open, closed, err := s.list(ctx)
		if err != nil {
			return nil, err
		}
		m, err := shards.NewMap(open, closed)
		if err == nil {
			return m, nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, fmt.Errorf("stream %q is still being resharded: %w", s.name, err)
		}
	}
}

// list reads every page of the shards.
func (s *Stream) list(ctx context.Context) (open, closed []shards.Range, err error) {
	in := &kinesis.ListShardsInput{StreamName: &s.name}
	for {
		out, err := s.api.ListShards(ctx, in)
		if err != nil {
			return nil, nil, s.explain("list shards of", err)
		}
		for _, shard := range out.Shards {
			r, err := rangeOf(shard)
			if err != nil {
				return nil, nil, err
			}
			if shard.SequenceNumberRange != nil && shard.SequenceNumberRange.EndingSequenceNumber != nil {
				closed = append(closed, r)
			} else {
				open = append(open, r)
			}
		}
		if out.NextToken == nil {
			return open, closed, nil
		}
		in = &kinesis.ListShardsInput{NextToken: out.NextToken} // no name beside a token
	}
}

func rangeOf(shard types.Shard) (shards.Range, error) {
	id := aws.ToString(shard.ShardId)
	if shard.HashKeyRange == nil {
		return shards.Range{}, fmt.Errorf("list shards: %s has no hash key range", id)
	}
	start, err := shards.ParseHash(aws.ToString(shard.HashKeyRange.StartingHashKey))
	if err != nil {
		return shards.Range{}, fmt.Errorf("list shards: %s: %w", id, err)
	}
	end, err := shards.ParseHash(aws.ToString(shard.HashKeyRange.EndingHashKey))
	if err != nil {
		return shards.Range{}, fmt.Errorf("list shards: %s: %w", id, err)
	}
	return shards.Range{ID: id, Start: start, End: end}, nil
}

// explain says what is missing and how to get it.
func (s *Stream) explain(verb string, err error) error {
	var missing *types.ResourceNotFoundException
	if errors.As(err, &missing) {
		return fmt.Errorf("%w: %q: create it, or set PRODUCER_STREAM to one that exists in this account and region", ErrNotFound, s.name)
	}
	return fmt.Errorf("%s stream %q: %w", verb, s.name, err)
}

// Denied tells whether err says that the process has no permission.
func Denied(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	code := api.ErrorCode()
	return code == "AccessDeniedException" || code == "AccessDenied" || code == "UnknownOperationException"
}
