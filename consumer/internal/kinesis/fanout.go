package kinesis

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/reader"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/wire"
)

// Subscriber implements reader.Subscriber.
type Subscriber struct {
	cfg    aws.Config
	client *kinesis.Client // not for subscriptions
	name   string
	log    zerolog.Logger

	mu  sync.Mutex
	arn string // of the stream consumer
}

// NewSubscriber returns a Subscriber for the stream consumer with this ARN, or,
// if that is empty, for the one with this name, which it registers if there is
// none.
func NewSubscriber(cfg aws.Config, arn, name string, log zerolog.Logger) *Subscriber {
	if arn != "" {
		name = ""
	}
	return &Subscriber{cfg: cfg, client: once(cfg), name: name, arn: arn, log: log}
}

// once returns a client that makes every call once.
func once(cfg aws.Config) *kinesis.Client {
	return kinesis.NewFromConfig(cfg, func(o *kinesis.Options) {
		o.Retryer, o.Credentials = aws.NopRetryer{}, wire.Credentials(o.Credentials)
	})
}

// Subscribe implements reader.Subscriber.
func (s *Subscriber) Subscribe(ctx context.Context, g contract.Grant, at reader.Start) (reader.Subscription, error) {
	arn, err := s.consumer(ctx, g)
	if err != nil {
		return nil, fmt.Errorf("register stream consumer: %w", subscribeError(err))
	}
	// The subscriptions of one client share a decoder of events without a lock (SDK
	// v1.47.7): each has a client of its own. Connections are shared all the same.
	out, err := once(s.cfg).SubscribeToShard(ctx, &kinesis.SubscribeToShardInput{
		ConsumerARN: aws.String(arn), ShardId: aws.String(g.Shard), StartingPosition: starting(at),
	})
	if err != nil {
		s.forget(err)
		return nil, fmt.Errorf("subscribe: %w", misplaced(at, subscribeError(err)))
	}
	return &subscription{stream: out.GetStream()}, nil
}

// forget looks for the stream consumer anew after one was not found, if it is
// known by its name.
func (s *Subscriber) forget(err error) {
	var missing *types.ResourceNotFoundException
	if s.name == "" || !errors.As(err, &missing) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arn = ""
}

func starting(at reader.Start) *types.StartingPosition {
	switch {
	case at.After != "":
		return &types.StartingPosition{Type: types.ShardIteratorTypeAfterSequenceNumber, SequenceNumber: aws.String(at.After)}
	case at.Type == contract.AtSequenceNumber:
		return &types.StartingPosition{Type: types.ShardIteratorTypeAtSequenceNumber, SequenceNumber: aws.String(at.Sequence)}
	case at.Type == contract.AtTimestamp:
		return &types.StartingPosition{Type: types.ShardIteratorTypeAtTimestamp, Timestamp: aws.Time(time.UnixMilli(at.TimestampMS))}
	}
	return &types.StartingPosition{Type: types.ShardIteratorTypeTrimHorizon}
}

// consumer returns the stream consumer's ARN; it registers one and waits until
// it is active, once.
func (s *Subscriber) consumer(ctx context.Context, g contract.Grant) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.arn != "" {
		return s.arn, nil
	}
	stream := aws.String(g.StreamARN)
	if g.StreamARN == "" {
		out, err := s.client.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: aws.String(g.Stream)})
		if err != nil {
			return "", err
		}
		stream = out.StreamDescriptionSummary.StreamARN
	}
	_, err := s.client.RegisterStreamConsumer(ctx, &kinesis.RegisterStreamConsumerInput{StreamARN: stream, ConsumerName: aws.String(s.name)})
	var inUse *types.ResourceInUseException
	if err != nil && !errors.As(err, &inUse) {
		return "", err
	}
	for {
		out, err := s.client.DescribeStreamConsumer(ctx, &kinesis.DescribeStreamConsumerInput{StreamARN: stream, ConsumerName: aws.String(s.name)})
		if err != nil {
			return "", err
		}
		if d := out.ConsumerDescription; d.ConsumerStatus == types.ConsumerStatusActive {
			s.arn = aws.ToString(d.ConsumerARN)
			s.log.Info().Str("consumer_arn", s.arn).Msg("subscribing as stream consumer")
			return s.arn, nil
		}
		timer := time.NewTimer(500 * time.Millisecond)
		select {
		case <-ctx.Done():
			timer.Stop()
			return "", context.Cause(ctx)
		case <-timer.C:
		}
	}
}

// subscription implements reader.Subscription.
type subscription struct {
	stream *kinesis.SubscribeToShardEventStream
}

// Next implements reader.Subscription.
func (s *subscription) Next(ctx context.Context) (*reader.Batch, error) {
	for {
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case event, open := <-s.stream.Events():
			if !open {
				if err := s.stream.Err(); err != nil {
					return nil, fmt.Errorf("receive event: %w", subscribeError(err))
				}
				return nil, io.EOF
			}
			e, ok := event.(*types.SubscribeToShardEventStreamMemberSubscribeToShardEvent)
			if !ok {
				continue // of a kind that is newer than this program
			}
			return batchOf(&e.Value), nil
		}
	}
}

func batchOf(e *types.SubscribeToShardEvent) *reader.Batch {
	b := &reader.Batch{
		Next: aws.ToString(e.ContinuationSequenceNumber), BehindMS: aws.ToInt64(e.MillisBehindLatest), Children: children(e.ChildShards),
	}
	b.Records, b.Payload = records(e.Records)
	b.Cost = b.Payload + int64(len(b.Records))*(recordCost+200)
	return b
}

// Close implements reader.Subscription.
func (s *subscription) Close() { _ = s.stream.Close() }
