package conformance_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// TestGetRecords_ClosedShard resumes a shard that has ended, from every place a
// reader may have stopped at.
func TestGetRecords_ClosedShard(t *testing.T) {
	t.Parallel()
	c := newKinesis(t)
	name := createStream(t, c, 1)
	shard := "shardId-000000000000"
	put(t, c, name, "0", "first")
	last := put(t, c, name, "0", "last")
	if _, err := c.SplitShard(t.Context(), &kinesis.SplitShardInput{StreamName: &name, ShardToSplit: &shard, NewStartingHashKey: aws.String("1000")}); err != nil {
		t.Fatal(err)
	}
	waitActive(t, c, name)
	for _, tc := range []struct {
		name string
		in   kinesis.GetShardIteratorInput
		want int
	}{
		{"before the last record", kinesis.GetShardIteratorInput{ShardIteratorType: types.ShardIteratorTypeAtSequenceNumber, StartingSequenceNumber: last.SequenceNumber}, 1},
		{"after the last record", kinesis.GetShardIteratorInput{ShardIteratorType: types.ShardIteratorTypeAfterSequenceNumber, StartingSequenceNumber: last.SequenceNumber}, 0},
		{"latest", kinesis.GetShardIteratorInput{ShardIteratorType: types.ShardIteratorTypeLatest}, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.in.StreamName, tc.in.ShardId = &name, &shard
			records, end := drain(t, c, iteratorOf(t, c, &tc.in), -1)
			if len(records) != tc.want {
				t.Errorf("got %d records, want %d", len(records), tc.want)
			}
			if aws.ToInt64(end.MillisBehindLatest) != 0 {
				t.Errorf("at the end, but %d ms behind", aws.ToInt64(end.MillisBehindLatest))
			}
			checkChildren(t, end.ChildShards, []string{"shardId-000000000001", "shardId-000000000002"}, []string{shard})
		})
	}
	t.Run("split again", func(t *testing.T) {
		_, err := c.SplitShard(t.Context(), &kinesis.SplitShardInput{StreamName: &name, ShardToSplit: &shard, NewStartingHashKey: aws.String("2000")})
		wantCode(t, err, "ResourceInUseException", "InvalidArgumentException")
	})
}

func TestDescribeStream_Pages(t *testing.T) {
	t.Parallel()
	c := newKinesis(t)
	name := createStream(t, c, 5)
	var got []string
	in := &kinesis.DescribeStreamInput{StreamName: &name, Limit: aws.Int32(2)}
	for page := range 3 {
		out, err := c.DescribeStream(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range out.StreamDescription.Shards {
			got = append(got, *s.ShardId)
		}
		if more := *out.StreamDescription.HasMoreShards; more != (page < 2) {
			t.Fatalf("page %d: HasMoreShards is %v", page, more)
		}
		in.ExclusiveStartShardId = &got[len(got)-1]
	}
	wantIDs(t, got, 0, 1, 2, 3, 4)
}

// TestPutRecord_Ordering puts one after the other with the number of the one
// before, as a producer does that wants strict order.
func TestPutRecord_Ordering(t *testing.T) {
	t.Parallel()
	c := newKinesis(t)
	name := createStream(t, c, 1)
	var before *string
	for i := range 5 {
		out, err := c.PutRecord(t.Context(), &kinesis.PutRecordInput{StreamName: &name, PartitionKey: aws.String("k"), Data: fmt.Append(nil, i), SequenceNumberForOrdering: before})
		if err != nil {
			t.Fatal(err)
		}
		if before != nil && number(t, out.SequenceNumber).Cmp(number(t, before)) <= 0 {
			t.Errorf("record %d: the number does not grow", i)
		}
		before = out.SequenceNumber
	}
}
