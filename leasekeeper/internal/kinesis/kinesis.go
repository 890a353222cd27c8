// Package kinesis reads what leasekeeper must know of a stream: who it is, what
// time it is there, and every page of its shards.
package kinesis

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// API is the part of the Kinesis client that is needed.
type API interface {
	DescribeStreamSummary(context.Context, *kinesis.DescribeStreamSummaryInput, ...func(*kinesis.Options)) (*kinesis.DescribeStreamSummaryOutput, error)
	ListShards(context.Context, *kinesis.ListShardsInput, ...func(*kinesis.Options)) (*kinesis.ListShardsOutput, error)
	GetShardIterator(context.Context, *kinesis.GetShardIteratorInput, ...func(*kinesis.Options)) (*kinesis.GetShardIteratorOutput, error)
}

// ErrNoStream says that the stream does not exist.
var ErrNoStream = errors.New("stream does not exist: create it, or set LEASEKEEPER_STREAM")

// Stream lists one stream. It is safe for concurrent use.
type Stream struct {
	api     API
	name    string
	attempt time.Duration
}

// New returns a Stream by its name. attempt bounds every single request.
func New(api API, name string, attempt time.Duration) *Stream {
	return &Stream{api: api, name: name, attempt: attempt}
}

// Execute makes one attempt to list the stream's shards.
func (s *Stream) Execute(ctx context.Context, op lease.ListShards) lease.Answer {
	l, err := s.list(ctx, op.Since)
	if err != nil {
		return lease.Answer{Outcome: lease.Failed, Err: err} // a read: nothing was done
	}
	return lease.Answer{Outcome: lease.Applied, Listing: l}
}

// Try makes one attempt to get an iterator after a sequence number.
func (s *Stream) Try(ctx context.Context, op lease.TryIterator) lease.Answer {
	ctx, cancel := context.WithTimeout(ctx, s.attempt)
	defer cancel()
	_, err := s.api.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{StreamName: &s.name, ShardId: &op.Shard,
		ShardIteratorType: types.ShardIteratorTypeAfterSequenceNumber, StartingSequenceNumber: &op.After})
	var coded smithy.APIError
	switch {
	case err == nil:
		return lease.Answer{Outcome: lease.Applied}
	case errors.As(err, &coded) && (coded.ErrorCode() == "InvalidArgumentException" || coded.ErrorCode() == "ValidationException"):
		return lease.Answer{Outcome: lease.Refused, Err: errors.New(coded.ErrorMessage())} //nolint:err113 // the service's words
	}
	return lease.Answer{Outcome: lease.Failed, Err: fmt.Errorf("get an iterator: %w", err)}
}

// List reads the stream's summary first and then every page of its shards.
func (s *Stream) List(ctx context.Context) (*lease.Listing, error) {
	return s.list(ctx, time.Time{})
}

func (s *Stream) list(ctx context.Context, since time.Time) (*lease.Listing, error) {
	l, err := s.Describe(ctx)
	if err != nil {
		return nil, err
	}
	in := &kinesis.ListShardsInput{StreamName: &s.name}
	if !since.IsZero() {
		in.ShardFilter = &types.ShardFilter{Type: types.ShardFilterTypeFromTimestamp, Timestamp: &since}
	}
	for {
		out, err := s.page(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("list shards of stream %q: %w", s.name, err)
		}
		for i := range out.Shards {
			l.Shards = append(l.Shards, shard(&out.Shards[i]))
		}
		if out.NextToken == nil || *out.NextToken == "" {
			return l, nil
		}
		// The token stands for the stream: both in one request are refused.
		in = &kinesis.ListShardsInput{NextToken: out.NextToken}
	}
}

// Describe reads the summary only. Its error wraps ErrNoStream where there is none.
func (s *Stream) Describe(ctx context.Context) (*lease.Listing, error) {
	ctx, cancel := context.WithTimeout(ctx, s.attempt)
	defer cancel()
	out, err := s.api.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: &s.name})
	var missing *types.ResourceNotFoundException
	switch {
	case errors.As(err, &missing):
		return nil, fmt.Errorf("stream %q: %w", s.name, ErrNoStream)
	case err != nil:
		return nil, fmt.Errorf("describe stream %q: %w", s.name, err)
	}
	d := out.StreamDescriptionSummary
	l := &lease.Listing{Now: serviceTime(out.ResultMetadata)}
	if d.StreamARN != nil {
		l.ARN = *d.StreamARN
	}
	if d.StreamCreationTimestamp != nil {
		l.CreatedAt = d.StreamCreationTimestamp.UTC()
	}
	return l, nil
}

func (s *Stream) page(ctx context.Context, in *kinesis.ListShardsInput) (*kinesis.ListShardsOutput, error) {
	ctx, cancel := context.WithTimeout(ctx, s.attempt)
	defer cancel()
	return s.api.ListShards(ctx, in)
}

func shard(s *types.Shard) lease.Shard {
	out := lease.Shard{}
	if s.ShardId != nil {
		out.ID = *s.ShardId
	}
	for _, parent := range []*string{s.AdjacentParentShardId, s.ParentShardId} {
		if parent != nil && *parent != "" {
			out.Parents = append(out.Parents, *parent)
		}
	}
	if len(out.Parents) == 2 && out.Parents[0] > out.Parents[1] {
		out.Parents[0], out.Parents[1] = out.Parents[1], out.Parents[0]
	}
	if r := s.HashKeyRange; r != nil && r.StartingHashKey != nil && r.EndingHashKey != nil {
		out.HashStart, out.HashEnd = *r.StartingHashKey, *r.EndingHashKey
	}
	if r := s.SequenceNumberRange; r != nil {
		out.SequenceStart, out.SequenceEnd = aws.ToString(r.StartingSequenceNumber), aws.ToString(r.EndingSequenceNumber)
	}
	return out
}

// serviceTime is the time of the answer's Date header: hosts' wall clocks are
// not compared, the service's is asked (rule 12). Without one it is ours.
func serviceTime(m middleware.Metadata) time.Time {
	if raw, ok := awsmiddleware.GetRawResponse(m).(*smithyhttp.Response); ok && raw != nil && raw.Response != nil {
		if at, err := http.ParseTime(raw.Header.Get("Date")); err == nil {
			return at.UTC()
		}
	}
	return time.Now().UTC()
}
