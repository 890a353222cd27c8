package kinesis_test

import (
	"context"
	"errors"
	"testing"
	"time"

	awskinesis "github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/awstest"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/kinesis"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// pages asks for small pages, so that there are some.
type pages struct{ *awskinesis.Client }

func (p pages) ListShards(ctx context.Context, in *awskinesis.ListShardsInput, o ...func(*awskinesis.Options)) (*awskinesis.ListShardsOutput, error) {
	few := int32(7)
	in.MaxResults = &few
	return p.Client.ListShards(ctx, in, o...)
}

func TestStream_List(t *testing.T) {
	a := awstest.Start(t)
	a.Stream("test", 30)
	before := time.Now().Add(-2 * time.Second)
	s := kinesis.New(pages{a.Kinesis("test")}, "test", 5*time.Second)
	got := s.Execute(context.Background(), lease.ListShards{})
	if got.Outcome != lease.Applied {
		t.Fatalf("got %v %v", got.Outcome, got.Err)
	}
	l := got.Listing
	if len(l.Shards) != 30 || l.ARN == "" || l.CreatedAt.IsZero() {
		t.Errorf("got %d shards of %q created %v, want every page", len(l.Shards), l.ARN, l.CreatedAt)
	}
	if l.Now.Before(before) || l.Now.After(time.Now().Add(2*time.Second)) {
		t.Errorf("got the service's time %v", l.Now)
	}
	if l.Shards[0].HashStart == "" || l.Shards[0].HashEnd == "" || len(l.Shards[0].Parents) != 0 {
		t.Errorf("got %+v, want a hash key range and no parents", l.Shards[0])
	}
}

// Since leaves out what was closed before.
func TestStream_ListSince(t *testing.T) {
	a := awstest.Start(t)
	a.Stream("test", 1)
	client := a.Kinesis("test")
	s := kinesis.New(client, "test", 5*time.Second)
	began := time.Now().Add(-time.Minute)
	first, middle := "shardId-000000000000", "170141183460469231731687303715884105728"
	name := "test"
	_, err := client.SplitShard(context.Background(), &awskinesis.SplitShardInput{StreamName: &name, ShardToSplit: &first, NewStartingHashKey: &middle})
	if err != nil {
		t.Fatal(err)
	}
	list := func(since time.Time) int {
		got := s.Execute(context.Background(), lease.ListShards{Since: since})
		if got.Outcome != lease.Applied {
			t.Fatalf("got %v %v", got.Outcome, got.Err)
		}
		return len(got.Listing.Shards)
	}
	for deadline := time.Now().Add(30 * time.Second); list(time.Now()) != 2; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("got %d shards that are open now, want the two children", list(time.Now()))
		}
	}
	if all, since := list(time.Time{}), list(began); all != 3 || since != 3 {
		t.Errorf("got %d in all and %d since a minute ago, want 3 and 3", all, since)
	}
}

func TestStream_Missing(t *testing.T) {
	a := awstest.Start(t)
	s := kinesis.New(a.Kinesis("test"), "nowhere", 5*time.Second)
	if _, err := s.List(context.Background()); !errors.Is(err, kinesis.ErrNoStream) {
		t.Errorf("got %v, want ErrNoStream", err)
	}
	if got := s.Execute(context.Background(), lease.ListShards{}); got.Outcome != lease.Failed {
		t.Errorf("got %v, want failed", got.Outcome)
	}
}

// A number is tried where it would be read: one that the shard gave is good, one
// that it did not, or has not yet, is refused in the service's words.
func TestStream_Try(t *testing.T) {
	a := awstest.Start(t)
	a.Stream("test", 1)
	client, name := a.Kinesis("test"), "test"
	s := kinesis.New(client, name, 5*time.Second)
	shard := s.Execute(t.Context(), lease.ListShards{}).Listing.Shards[0]
	if shard.SequenceStart == "" || shard.SequenceEnd != "" {
		t.Errorf("got %+v, want where its numbers begin, and no end", shard)
	}
	put, err := client.PutRecord(t.Context(), &awskinesis.PutRecordInput{StreamName: &name, Data: []byte("1"), PartitionKey: &name})
	if err != nil {
		t.Fatal(err)
	}
	number := *put.SequenceNumber
	never := number[:len(number)-2] + "98"
	if never == number {
		never = number[:len(number)-2] + "89"
	}
	for after, want := range map[string]lease.Outcome{number: lease.Applied, "12": lease.Refused, "01": lease.Refused, never: lease.Refused} {
		if got := s.Try(t.Context(), lease.TryIterator{Shard: shard.ID, After: after}); got.Outcome != want || (want == lease.Refused) != (got.Err != nil) {
			t.Errorf("%s: got %v, %v, want %v", after, got.Outcome, got.Err, want)
		}
	}
	if got := s.Try(t.Context(), lease.TryIterator{Shard: "shardId-000000000009", After: number}); got.Outcome != lease.Failed {
		t.Errorf("no such shard: got %v, want failed", got.Outcome)
	}
}
