package conformance_test

import (
	"fmt"
	"math/big"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// openShards returns the shards without an ending sequence number, by hash key.
func openShards(t *testing.T, c *kinesis.Client, name string) []types.Shard {
	t.Helper()
	open := slices.DeleteFunc(listShards(t, c, name), func(s types.Shard) bool { return s.SequenceNumberRange.EndingSequenceNumber != nil })
	slices.SortFunc(open, func(a, b types.Shard) int {
		return number(t, a.HashKeyRange.StartingHashKey).Cmp(number(t, b.HashKeyRange.StartingHashKey))
	})
	return open
}

func put(t *testing.T, c *kinesis.Client, name, hashKey, data string) *kinesis.PutRecordOutput {
	t.Helper()
	out, err := c.PutRecord(t.Context(), &kinesis.PutRecordInput{
		StreamName: &name, PartitionKey: aws.String("k"), ExplicitHashKey: &hashKey, Data: []byte(data),
	})
	if err != nil {
		t.Fatalf("put record: %v", err)
	}
	return out
}

func TestCreateStream_UniformHashKeys(t *testing.T) {
	t.Parallel()
	c := newKinesis(t)
	shards := listShards(t, c, createStream(t, c, 3))
	// From the service's documentation of a stream of three shards.
	want := [][2]string{
		{"0", "113427455640312821154458202477256070484"},
		{"113427455640312821154458202477256070485", "226854911280625642308916404954512140969"},
		{"226854911280625642308916404954512140970", "340282366920938463463374607431768211455"},
	}
	for i, s := range shards {
		if *s.ShardId != fmt.Sprintf("shardId-%012d", i) || *s.HashKeyRange.StartingHashKey != want[i][0] || *s.HashKeyRange.EndingHashKey != want[i][1] {
			t.Errorf("shard %d: got %s %s to %s, want %v", i, *s.ShardId, *s.HashKeyRange.StartingHashKey, *s.HashKeyRange.EndingHashKey, want[i])
		}
		if s.ParentShardId != nil || s.SequenceNumberRange.EndingSequenceNumber != nil {
			t.Errorf("shard %d has a parent or an end", i)
		}
	}
}

func TestSplitShard_ChildrenFollow(t *testing.T) {
	t.Parallel()
	c := newKinesis(t)
	name := createStream(t, c, 1)
	before := put(t, c, name, "0", "before")
	middle := "170141183460469231731687303715884105728"
	if _, err := c.SplitShard(t.Context(), &kinesis.SplitShardInput{StreamName: &name, ShardToSplit: aws.String("shardId-000000000000"), NewStartingHashKey: &middle}); err != nil {
		t.Fatalf("split: %v", err)
	}
	waitActive(t, c, name)
	shards := listShards(t, c, name)
	if len(shards) != 3 {
		t.Fatalf("got %d shards, want 3", len(shards))
	}
	end := number(t, shards[0].SequenceNumberRange.EndingSequenceNumber)
	if end.Cmp(number(t, before.SequenceNumber)) <= 0 && !isServer("kinesis-local") { // its ending numbers lie before the records
		t.Errorf("the parent ends before its last record")
	}
	for _, child := range shards[1:] {
		if aws.ToString(child.ParentShardId) != "shardId-000000000000" || child.AdjacentParentShardId != nil {
			t.Errorf("%s: parents are %v and %v", *child.ShardId, child.ParentShardId, child.AdjacentParentShardId)
		}
		if number(t, child.SequenceNumberRange.StartingSequenceNumber).Cmp(number(t, before.SequenceNumber)) <= 0 {
			t.Errorf("%s begins before the parent's last record", *child.ShardId)
		}
	}
	if *shards[1].HashKeyRange.EndingHashKey != "170141183460469231731687303715884105727" || *shards[2].HashKeyRange.StartingHashKey != middle {
		t.Errorf("children meet at %s and %s, want %s", *shards[1].HashKeyRange.EndingHashKey, *shards[2].HashKeyRange.StartingHashKey, middle)
	}
	after := put(t, c, name, middle, "after")
	if *after.ShardId != "shardId-000000000002" || number(t, after.SequenceNumber).Cmp(number(t, before.SequenceNumber)) <= 0 {
		t.Errorf("the record after the split is %s in %s", *after.SequenceNumber, *after.ShardId)
	}
	it := iteratorOf(t, c, &kinesis.GetShardIteratorInput{StreamName: &name, ShardId: shards[0].ShardId, ShardIteratorType: types.ShardIteratorTypeTrimHorizon})
	records, last := drain(t, c, it, -1)
	if len(records) != 1 || string(records[0].Data) != "before" {
		t.Errorf("the parent holds %d records, want 1", len(records))
	}
	checkChildren(t, last.ChildShards, []string{"shardId-000000000001", "shardId-000000000002"}, []string{"shardId-000000000000"})
}

func checkChildren(t *testing.T, got []types.ChildShard, want, parents []string) {
	t.Helper()
	var ids []string
	for _, child := range got {
		ids = append(ids, *child.ShardId)
		sorted := slices.Sorted(slices.Values(child.ParentShards))
		if !slices.Equal(sorted, parents) || child.HashKeyRange == nil {
			t.Errorf("child %s: parents %v, range %v; want %v", *child.ShardId, child.ParentShards, child.HashKeyRange, parents)
		}
	}
	if slices.Sort(ids); !slices.Equal(ids, want) {
		t.Errorf("got child shards %v, want %v", ids, want)
	}
}

func TestMergeShards_OneChildOfTwo(t *testing.T) {
	t.Parallel()
	c := newKinesis(t)
	name := createStream(t, c, 2)
	put(t, c, name, "0", "low")
	put(t, c, name, "340282366920938463463374607431768211455", "high")
	if _, err := c.MergeShards(t.Context(), &kinesis.MergeShardsInput{StreamName: &name, ShardToMerge: aws.String("shardId-000000000000"), AdjacentShardToMerge: aws.String("shardId-000000000001")}); err != nil {
		t.Fatalf("merge: %v", err)
	}
	waitActive(t, c, name)
	open := openShards(t, c, name)
	if len(open) != 1 {
		t.Fatalf("got %d open shards, want 1", len(open))
	}
	m := open[0]
	if aws.ToString(m.ParentShardId) != "shardId-000000000000" || aws.ToString(m.AdjacentParentShardId) != "shardId-000000000001" {
		t.Errorf("parents are %v and %v", aws.ToString(m.ParentShardId), aws.ToString(m.AdjacentParentShardId))
	}
	if *m.HashKeyRange.StartingHashKey != "0" || *m.HashKeyRange.EndingHashKey != "340282366920938463463374607431768211455" {
		t.Errorf("the child has the range %v", m.HashKeyRange)
	}
	for _, parent := range []string{"shardId-000000000000", "shardId-000000000001"} {
		it := iteratorOf(t, c, &kinesis.GetShardIteratorInput{StreamName: &name, ShardId: &parent, ShardIteratorType: types.ShardIteratorTypeTrimHorizon})
		records, last := drain(t, c, it, -1)
		if len(records) != 1 {
			t.Errorf("%s: got %d records, want 1", parent, len(records))
		}
		checkChildren(t, last.ChildShards, []string{"shardId-000000000002"}, []string{"shardId-000000000000", "shardId-000000000001"})
	}
}

func TestUpdateShardCount_Uniform(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ from, to int32 }{{1, 2}, {2, 3}, {3, 4}, {4, 2}, {5, 3}, {6, 8}} {
		t.Run(fmt.Sprintf("%d to %d", tc.from, tc.to), func(t *testing.T) {
			t.Parallel()
			c := newKinesis(t)
			name := createStream(t, c, tc.from)
			out, err := c.UpdateShardCount(t.Context(), &kinesis.UpdateShardCountInput{StreamName: &name, TargetShardCount: &tc.to, ScalingType: types.ScalingTypeUniformScaling})
			if err != nil {
				t.Fatalf("update shard count: %v", err)
			}
			if aws.ToInt32(out.CurrentShardCount) != tc.from || aws.ToInt32(out.TargetShardCount) != tc.to {
				t.Errorf("answer says %d to %d", aws.ToInt32(out.CurrentShardCount), aws.ToInt32(out.TargetShardCount))
			}
			waitActive(t, c, name)
			checkUniform(t, openShards(t, c, name), int(tc.to))
			checkLineage(t, listShards(t, c, name))
		})
	}
}

func checkUniform(t *testing.T, open []types.Shard, want int) {
	t.Helper()
	if len(open) != want {
		t.Fatalf("got %d open shards, want %d", len(open), want)
	}
	if isServer("kinesis-local") { // splits or merges without regard to equal sizes
		return
	}
	size := new(big.Int).Div(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(int64(want)))
	for i, s := range open {
		start := new(big.Int).Mul(size, big.NewInt(int64(i)))
		if number(t, s.HashKeyRange.StartingHashKey).Cmp(start) != 0 {
			t.Errorf("open shard %d begins at %s, want %s", i, *s.HashKeyRange.StartingHashKey, start)
		}
	}
}

// checkLineage checks that every parent is closed and begins before its child.
func checkLineage(t *testing.T, shards []types.Shard) {
	t.Helper()
	byID := map[string]types.Shard{}
	for _, s := range shards {
		byID[*s.ShardId] = s
	}
	for _, s := range shards {
		for _, id := range []*string{s.ParentShardId, s.AdjacentParentShardId} {
			if id == nil {
				continue
			}
			parent, ok := byID[*id]
			if !ok || parent.SequenceNumberRange.EndingSequenceNumber == nil {
				t.Errorf("%s: parent %s is missing or open", *s.ShardId, *id)
				continue
			}
			if number(t, parent.SequenceNumberRange.EndingSequenceNumber).Cmp(number(t, s.SequenceNumberRange.StartingSequenceNumber)) >= 0 {
				t.Errorf("%s begins before its parent %s ends", *s.ShardId, *id)
			}
		}
	}
}

func TestListShards_PagesAndFilters(t *testing.T) {
	t.Parallel()
	c := newKinesis(t)
	name := createStream(t, c, 4)
	if _, err := c.MergeShards(t.Context(), &kinesis.MergeShardsInput{StreamName: &name, ShardToMerge: aws.String("shardId-000000000000"), AdjacentShardToMerge: aws.String("shardId-000000000001")}); err != nil {
		t.Fatalf("merge: %v", err)
	}
	waitActive(t, c, name)
	t.Run("pages", func(t *testing.T) {
		var got []string
		in := &kinesis.ListShardsInput{StreamName: &name, MaxResults: aws.Int32(2)}
		for {
			out, err := c.ListShards(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range out.Shards {
				got = append(got, *s.ShardId)
			}
			if out.NextToken == nil {
				break
			}
			in = &kinesis.ListShardsInput{NextToken: out.NextToken, MaxResults: aws.Int32(2)}
		}
		wantIDs(t, got, 0, 1, 2, 3, 4)
	})
	t.Run("ExclusiveStartShardId", func(t *testing.T) {
		wantIDs(t, filtered(t, c, &kinesis.ListShardsInput{StreamName: &name, ExclusiveStartShardId: aws.String("shardId-000000000002")}), 3, 4)
	})
	t.Run("AFTER_SHARD_ID", func(t *testing.T) {
		wantIDs(t, filtered(t, c, &kinesis.ListShardsInput{StreamName: &name, ShardFilter: &types.ShardFilter{Type: types.ShardFilterTypeAfterShardId, ShardId: aws.String("shardId-000000000000")}}), 1, 2, 3, 4)
	})
	t.Run("AT_LATEST", func(t *testing.T) {
		wantIDs(t, filtered(t, c, &kinesis.ListShardsInput{StreamName: &name, ShardFilter: &types.ShardFilter{Type: types.ShardFilterTypeAtLatest}}), 2, 3, 4)
	})
	t.Run("FROM_TRIM_HORIZON", func(t *testing.T) {
		wantIDs(t, filtered(t, c, &kinesis.ListShardsInput{StreamName: &name, ShardFilter: &types.ShardFilter{Type: types.ShardFilterTypeFromTrimHorizon}}), 0, 1, 2, 3, 4)
	})
	t.Run("AT_TRIM_HORIZON", func(t *testing.T) {
		knownFault(t, "kinesis-local", "AT_TRIM_HORIZON returns every shard")
		wantIDs(t, filtered(t, c, &kinesis.ListShardsInput{StreamName: &name, ShardFilter: &types.ShardFilter{Type: types.ShardFilterTypeAtTrimHorizon}}), 0, 1, 2, 3)
	})
	t.Run("by ARN", func(t *testing.T) {
		out, err := c.DescribeStreamSummary(t.Context(), &kinesis.DescribeStreamSummaryInput{StreamName: &name})
		if err != nil {
			t.Fatal(err)
		}
		wantIDs(t, filtered(t, c, &kinesis.ListShardsInput{StreamARN: out.StreamDescriptionSummary.StreamARN}), 0, 1, 2, 3, 4)
	})
}

func filtered(t *testing.T, c *kinesis.Client, in *kinesis.ListShardsInput) []string {
	t.Helper()
	out, err := c.ListShards(t.Context(), in)
	if err != nil {
		t.Fatalf("list shards: %v", err)
	}
	var ids []string
	for _, s := range out.Shards {
		ids = append(ids, *s.ShardId)
	}
	return ids
}

func wantIDs(t *testing.T, got []string, numbers ...int) {
	t.Helper()
	want := make([]string, 0, len(numbers))
	for _, n := range numbers {
		want = append(want, fmt.Sprintf("shardId-%012d", n))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
