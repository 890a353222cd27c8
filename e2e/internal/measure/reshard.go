package measure

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/awslocal"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
)

// Pause is the time between the last answer of a child's last parent, which said
// that the parent is at its end, and the first read of the child. It is negative
// if the child was read before that, which breaks invariant I3.
type Pause struct {
	Child string
	After time.Duration
	Began time.Time // the first read of the child
}

// Pauses returns the pause of every shard that has parents and was read.
func Pauses(ctx context.Context, c *cluster.Cluster) ([]Pause, error) {
	shards, err := Shards(ctx, c)
	if err != nil {
		return nil, err
	}
	ends, firsts := c.Tap.Ends(), c.Tap.FirstReads()
	var out []Pause
	for _, shard := range shards {
		first, read := firsts[aws.ToString(shard.ShardId)]
		var ended time.Time
		for _, parent := range []*string{shard.ParentShardId, shard.AdjacentParentShardId} {
			if parent == nil {
				continue
			}
			end, ok := ends[*parent]
			if read && !ok {
				return nil, fmt.Errorf("%s was read and its parent %s never ended", *shard.ShardId, *parent)
			}
			if end.Done.After(ended) {
				ended = end.Done
			}
		}
		if read && !ended.IsZero() {
			out = append(out, Pause{Child: *shard.ShardId, After: first.Sent.Sub(ended), Began: first.Sent})
		}
	}
	return out, nil
}

// Shards lists every shard of the stream, by name.
func Shards(ctx context.Context, c *cluster.Cluster) ([]types.Shard, error) {
	var out []types.Shard
	in := &kinesis.ListShardsInput{StreamName: aws.String(awslocal.Stream)}
	for {
		page, err := c.AWS.Kinesis.ListShards(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("list shards: %w", err)
		}
		out = append(out, page.Shards...)
		if page.NextToken == nil {
			break
		}
		in = &kinesis.ListShardsInput{NextToken: page.NextToken}
	}
	sort.Slice(out, func(i, j int) bool { return *out[i].ShardId < *out[j].ShardId })
	return out, nil
}

// Open lists the names of the shards that take records.
func Open(ctx context.Context, c *cluster.Cluster) ([]string, error) {
	shards, err := Shards(ctx, c)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, shard := range shards {
		if shard.SequenceNumberRange.EndingSequenceNumber == nil {
			out = append(out, *shard.ShardId)
		}
	}
	return out, nil
}

// Resize sets the number of shards and waits until the stream is active again.
func Resize(ctx context.Context, c *cluster.Cluster, shards int32) error {
	_, err := c.AWS.Kinesis.UpdateShardCount(ctx, &kinesis.UpdateShardCountInput{
		StreamName: aws.String(awslocal.Stream), TargetShardCount: &shards, ScalingType: types.ScalingTypeUniformScaling,
	})
	if err != nil {
		return fmt.Errorf("set %d shards: %w", shards, err)
	}
	return c.AWS.WaitStream(ctx, awslocal.Stream)
}

// WaitOpenRead waits until every open shard is read by a task that runs: what
// one that has stopped read a moment ago does not count.
func WaitOpenRead(ctx context.Context, c *cluster.Cluster, timeout time.Duration) error {
	var err error
	waitErr := cluster.Until(ctx, timeout, "every open shard is read", func() bool {
		var open []string
		if open, err = Open(ctx, c); err != nil {
			return true
		}
		runs := map[string]bool{}
		for _, task := range running(c) {
			runs[task.Name] = true
		}
		readers := c.Readers(2 * time.Second)
		return !slices.ContainsFunc(open, func(shard string) bool { return !runs[readers[shard]] })
	})
	if err != nil {
		return err
	}
	return waitErr
}
