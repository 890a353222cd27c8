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
