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
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
)

// ErrNoStream says that there is no stream of that name.
var ErrNoStream = errors.New("stream does not exist")

// describeTimeout bounds a look at a stream, all of its pages included.
const describeTimeout = 9 * time.Second

// Stream is what must be known of a stream to read it without leasekeeper.
type Stream struct {
	Name, ARN string
	Retention time.Duration
	Now       time.Time // by the service's clock, to the second, when it answered
	Shards    []contract.ChildShard
}

// Describe looks at a stream and lists all of its shards, the closed ones that
// it keeps included. Its error wraps ErrNoStream where there is no such stream.
func Describe(ctx context.Context, cfg aws.Config, name string) (Stream, error) {
	ctx, cancel := context.WithTimeout(ctx, describeTimeout)
	defer cancel()
	client := kinesis.NewFromConfig(cfg)
	out, err := client.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: &name})
	var missing *types.ResourceNotFoundException
	switch {
	case errors.As(err, &missing):
		return Stream{}, fmt.Errorf("stream %q in region %s: %w", name, cfg.Region, ErrNoStream)
	case err != nil:
		return Stream{}, fmt.Errorf("describe stream %q: %w", name, err)
	}
	d := out.StreamDescriptionSummary
	s := Stream{
		Name: name, ARN: aws.ToString(d.StreamARN), Now: serviceTime(out.ResultMetadata),
		Retention: time.Duration(aws.ToInt32(d.RetentionPeriodHours)) * time.Hour,
	}
	s.Shards, err = shards(ctx, client, name)
	return s, err
}

func shards(ctx context.Context, client *kinesis.Client, name string) ([]contract.ChildShard, error) {
	var all []contract.ChildShard
	in := &kinesis.ListShardsInput{StreamName: &name}
	for {
		page, err := client.ListShards(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("list shards of stream %q: %w", name, err)
		}
		for i := range page.Shards {
			all = append(all, listed(&page.Shards[i]))
		}
		if aws.ToString(page.NextToken) == "" {
			return all, nil
		}
		in = &kinesis.ListShardsInput{NextToken: page.NextToken} // which stands for the stream: both are refused
	}
}

func listed(s *types.Shard) contract.ChildShard {
	c := contract.ChildShard{Shard: aws.ToString(s.ShardId)}
	for _, parent := range []*string{s.ParentShardId, s.AdjacentParentShardId} {
		if parent != nil && *parent != "" {
			c.Parents = append(c.Parents, *parent)
		}
	}
	if h := s.HashKeyRange; h != nil {
		c.HashKeyRange = &contract.HashKeyRange{Start: aws.ToString(h.StartingHashKey), End: aws.ToString(h.EndingHashKey)}
	}
	return c
}

// serviceTime is the time of an answer's Date header; without one it is ours.
func serviceTime(m middleware.Metadata) time.Time {
	if raw, ok := awsmiddleware.GetRawResponse(m).(*smithyhttp.Response); ok && raw != nil && raw.Response != nil {
		if at, err := http.ParseTime(raw.Header.Get("Date")); err == nil {
			return at.UTC()
		}
	}
	return time.Now().UTC()
}
