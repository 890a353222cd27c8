package conformance_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// watchdog bounds what a fan-out test waits for: a subscription can die without
// a word.
const watchdog = 15 * time.Second

const noInitialResponse = "SubscribeToShard sends no initial-response event, so the SDK waits for ever"

func registerConsumer(t *testing.T, c *kinesis.Client, stream string) string {
	t.Helper()
	s, err := c.DescribeStreamSummary(t.Context(), &kinesis.DescribeStreamSummaryInput{StreamName: &stream})
	if err != nil {
		t.Fatal(err)
	}
	name := uniqueName("consumer")
	arn := s.StreamDescriptionSummary.StreamARN
	out, err := c.RegisterStreamConsumer(t.Context(), &kinesis.RegisterStreamConsumerInput{StreamARN: arn, ConsumerName: &name})
	if err != nil {
		t.Fatalf("register consumer: %v", err)
	}
	if out.Consumer.ConsumerStatus != types.ConsumerStatusCreating {
		t.Errorf("a new consumer is %s, want CREATING", out.Consumer.ConsumerStatus)
	}
	deadline := time.Now().Add(watchdog)
	for {
		d, err := c.DescribeStreamConsumer(t.Context(), &kinesis.DescribeStreamConsumerInput{StreamARN: arn, ConsumerName: &name})
		if err != nil {
			t.Fatalf("describe consumer: %v", err)
		}
		if d.ConsumerDescription.ConsumerStatus == types.ConsumerStatusActive {
			return *d.ConsumerDescription.ConsumerARN
		}
		if time.Now().After(deadline) {
			t.Fatal("the consumer is not active")
		}
		pause(t, 20*time.Millisecond)
	}
}

func subscribe(t *testing.T, c *kinesis.Client, consumer, shard string, from types.StartingPosition) (*kinesis.SubscribeToShardEventStream, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), watchdog)
	t.Cleanup(cancel)
	out, err := c.SubscribeToShard(ctx, &kinesis.SubscribeToShardInput{ConsumerARN: &consumer, ShardId: &shard, StartingPosition: &from})
	if err != nil {
		return nil, err
	}
	stream := out.GetStream()
	t.Cleanup(func() { _ = stream.Close() })
	return stream, nil
}

func nextEvent(t *testing.T, s *kinesis.SubscribeToShardEventStream) (*types.SubscribeToShardEvent, bool) {
	t.Helper()
	select {
	case e, ok := <-s.Events():
		if !ok {
			return nil, false
		}
		member, ok := e.(*types.SubscribeToShardEventStreamMemberSubscribeToShardEvent)
		if !ok {
			t.Fatalf("unexpected event %T", e)
		}
		return &member.Value, true
	case <-time.After(watchdog):
		t.Fatal("no event")
		return nil, false
	}
}

func TestSubscribeToShard_RecordsThenChildren(t *testing.T) {
	t.Parallel()
	knownFault(t, "kinesis-local", noInitialResponse)
	c := newKinesis(t)
	name := createStream(t, c, 1)
	consumer := registerConsumer(t, c, name)
	put(t, c, name, "0", "0")
	stream, err := subscribe(t, c, consumer, "shardId-000000000000", types.StartingPosition{Type: types.ShardIteratorTypeTrimHorizon})
	if err != nil {
		t.Fatalf("subscribe: %v", err)
	}
	var last *types.SubscribeToShardEvent
	seen := 0
	for seen < 3 {
		e, ok := nextEvent(t, stream)
		if !ok {
			t.Fatalf("the stream ended after %d records: %v", seen, stream.Err())
		}
		for _, r := range e.Records {
			if string(r.Data) != fmt.Sprint(seen) {
				t.Fatalf("record %d is %q", seen, r.Data)
			}
			seen++
			if seen < 3 {
				put(t, c, name, "0", fmt.Sprint(seen))
			}
			if aws.ToString(e.ContinuationSequenceNumber) != *e.Records[len(e.Records)-1].SequenceNumber {
				t.Errorf("continuation %s is not the last record's number", aws.ToString(e.ContinuationSequenceNumber))
			}
		}
		last = e
	}
	if _, err := c.SplitShard(t.Context(), &kinesis.SplitShardInput{StreamName: &name, ShardToSplit: aws.String("shardId-000000000000"), NewStartingHashKey: aws.String("1000")}); err != nil {
		t.Fatal(err)
	}
	for {
		e, ok := nextEvent(t, stream)
		if !ok {
			break
		}
		last = e
	}
	if err := stream.Err(); err != nil {
		t.Errorf("the stream ended with %v", err)
	}
	checkChildren(t, last.ChildShards, []string{"shardId-000000000001", "shardId-000000000002"}, []string{"shardId-000000000000"})
}

func TestSubscribeToShard_SecondIsRefused(t *testing.T) {
	t.Parallel()
	knownFault(t, "kinesis-local", noInitialResponse)
	c := newKinesis(t, func(o *kinesis.Options) { o.RetryMaxAttempts = 1 })
	second := kinesis.New(c.Options()) // in this version of the SDK the subscriptions of one client share a decoder without a lock
	name := createStream(t, c, 1)
	consumer := registerConsumer(t, c, name)
	from := types.StartingPosition{Type: types.ShardIteratorTypeLatest}
	if _, err := subscribe(t, c, consumer, "shardId-000000000000", from); err != nil {
		t.Fatalf("subscribe: %v", err)
	}
	_, err := subscribe(t, second, consumer, "shardId-000000000000", from)
	wantCode(t, err, "ResourceInUseException")
}

func TestStreamConsumers_Life(t *testing.T) {
	t.Parallel()
	c := newKinesis(t, func(o *kinesis.Options) { o.RetryMaxAttempts = 1 })
	name := createStream(t, c, 1)
	consumer := registerConsumer(t, c, name)
	s, err := c.DescribeStreamSummary(t.Context(), &kinesis.DescribeStreamSummaryInput{StreamName: &name})
	if err != nil {
		t.Fatal(err)
	}
	list, err := c.ListStreamConsumers(t.Context(), &kinesis.ListStreamConsumersInput{StreamARN: s.StreamDescriptionSummary.StreamARN})
	if err != nil || len(list.Consumers) != 1 || *list.Consumers[0].ConsumerARN != consumer {
		t.Errorf("got consumers %+v, %v", list, err)
	}
	if _, err := c.DeregisterStreamConsumer(t.Context(), &kinesis.DeregisterStreamConsumerInput{ConsumerARN: &consumer}); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(watchdog)
	for {
		_, err := c.DescribeStreamConsumer(t.Context(), &kinesis.DescribeStreamConsumerInput{ConsumerARN: &consumer})
		if err != nil {
			wantCode(t, err, "ResourceNotFoundException")
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the consumer is still there")
		}
		pause(t, 20*time.Millisecond)
	}
}
