package conformance_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
)

func wantCode(t *testing.T, err error, codes ...string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) {
		t.Errorf("got error %v, want %v", err, codes)
		return
	}
	for _, code := range codes {
		if api.ErrorCode() == code {
			return
		}
	}
	t.Errorf("got error %v, want %v", err, codes)
}

func TestKinesis_Errors(t *testing.T) {
	t.Parallel()
	c := newKinesis(t, func(o *kinesis.Options) { o.RetryMaxAttempts = 1 })
	name := createStream(t, c, 2)
	shard := "shardId-000000000000"
	no := uniqueName("missing")
	ctx := t.Context()
	put := func(key string, data []byte, hash *string) error {
		_, err := c.PutRecord(ctx, &kinesis.PutRecordInput{StreamName: &name, PartitionKey: &key, Data: data, ExplicitHashKey: hash})
		return err
	}
	iterator := func(in kinesis.GetShardIteratorInput) error {
		if in.ShardId == nil {
			in.ShardId = &shard
		}
		if in.StreamName == nil {
			in.StreamName = &name
		}
		_, err := c.GetShardIterator(ctx, &in)
		return err
	}
	other, err := c.PutRecord(ctx, &kinesis.PutRecordInput{StreamName: &name, PartitionKey: aws.String("k"), Data: []byte("x"), ExplicitHashKey: aws.String("340282366920938463463374607431768211455")})
	if err != nil {
		t.Fatal(err)
	}
	wantStored(t, put("k", []byte("x"), aws.String("0"))) // the first shard has as many records
	for _, tc := range []struct {
		name  string
		fault string // why kinesis-local is excused
		codes []string
		call  func() error
	}{
		{"no such stream", "", []string{"ResourceNotFoundException"}, func() error {
			_, err := c.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: &no})
			return err
		}},
		{"put to no such stream", "", []string{"ResourceNotFoundException"}, func() error {
			_, err := c.PutRecord(ctx, &kinesis.PutRecordInput{StreamName: &no, PartitionKey: aws.String("k"), Data: []byte("x")})
			return err
		}},
		{"stream exists", "", []string{"ResourceInUseException"}, func() error {
			_, err := c.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: &name, ShardCount: aws.Int32(1)})
			return err
		}},
		{"bad name", "answers InvalidArgumentException to every violation of the model", []string{"ValidationException"}, func() error {
			_, err := c.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: aws.String("a/b"), ShardCount: aws.Int32(1)})
			return err
		}},
		{"partition key too long", "answers InvalidArgumentException to every violation of the model", []string{"ValidationException"}, func() error { return put(strings.Repeat("k", 257), []byte("x"), nil) }},
		{"record too large", "answers InvalidArgumentException to every violation of the model", []string{"ValidationException"}, func() error { return put("k", bytes.Repeat([]byte("x"), 1<<20+1), nil) }},
		{"hash key out of range", "answers no such error", []string{"InvalidArgumentException"}, func() error {
			return put("k", []byte("x"), aws.String("340282366920938463463374607431768211456"))
		}},
		{"501 records", "answers InvalidArgumentException to every violation of the model", []string{"ValidationException"}, func() error {
			_, err := c.PutRecords(ctx, &kinesis.PutRecordsInput{StreamName: &name, Records: make501()})
			return err
		}},
		{"no such shard", "", []string{"ResourceNotFoundException"}, func() error {
			return iterator(kinesis.GetShardIteratorInput{ShardId: aws.String("shardId-000000000099"), ShardIteratorType: types.ShardIteratorTypeLatest})
		}},
		{"sequence number missing", "", []string{"InvalidArgumentException"}, func() error {
			return iterator(kinesis.GetShardIteratorInput{ShardIteratorType: types.ShardIteratorTypeAtSequenceNumber})
		}},
		{"sequence number of another shard", "takes the number of any shard", []string{"InvalidArgumentException"}, func() error {
			return iterator(kinesis.GetShardIteratorInput{ShardIteratorType: types.ShardIteratorTypeAtSequenceNumber, StartingSequenceNumber: other.SequenceNumber})
		}},
		{"sequence number of no stream", "takes any number", []string{"InvalidArgumentException"}, func() error {
			return iterator(kinesis.GetShardIteratorInput{ShardIteratorType: types.ShardIteratorTypeAfterSequenceNumber, StartingSequenceNumber: aws.String("1234")})
		}},
		{"timestamp to come", "takes any time", []string{"InvalidArgumentException"}, func() error {
			return iterator(kinesis.GetShardIteratorInput{ShardIteratorType: types.ShardIteratorTypeAtTimestamp, Timestamp: aws.Time(time.Now().Add(time.Hour))})
		}},
		{"bad iterator", "answers status 500", []string{"InvalidArgumentException"}, func() error {
			_, err := c.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: aws.String("AAAA")})
			return err
		}},
		{"limit of 10001", "", []string{"InvalidArgumentException"}, func() error {
			it := iteratorOf(t, c, &kinesis.GetShardIteratorInput{StreamName: &name, ShardId: &shard, ShardIteratorType: types.ShardIteratorTypeLatest})
			_, err := c.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: it, Limit: aws.Int32(10001)})
			return err
		}},
		{"NextToken and StreamName", "", []string{"InvalidArgumentException"}, func() error {
			_, err := c.ListShards(ctx, &kinesis.ListShardsInput{StreamName: &name, NextToken: aws.String("x")})
			return err
		}},
		{"split at the shard's start", "splits off an empty shard", []string{"InvalidArgumentException"}, func() error {
			_, err := c.SplitShard(ctx, &kinesis.SplitShardInput{StreamName: &name, ShardToSplit: &shard, NewStartingHashKey: aws.String("0")})
			return err
		}},
		{"merge with itself", "answers ResourceInUseException", []string{"InvalidArgumentException"}, func() error {
			_, err := c.MergeShards(ctx, &kinesis.MergeShardsInput{StreamName: &name, ShardToMerge: &shard, AdjacentShardToMerge: &shard})
			return err
		}},
		{"more than double", "answers InvalidArgumentException", []string{"LimitExceededException"}, func() error {
			_, err := c.UpdateShardCount(ctx, &kinesis.UpdateShardCountInput{StreamName: &name, TargetShardCount: aws.Int32(5), ScalingType: types.ScalingTypeUniformScaling})
			return err
		}},
		{"retention of 23 hours", "", []string{"InvalidArgumentException"}, func() error {
			_, err := c.DecreaseStreamRetentionPeriod(ctx, &kinesis.DecreaseStreamRetentionPeriodInput{StreamName: &name, RetentionPeriodHours: aws.Int32(23)})
			return err
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.fault != "" {
				knownFault(t, "kinesis-local", tc.fault)
			}
			wantCode(t, tc.call(), tc.codes...)
		})
	}
}

func wantStored(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("put: %v", err)
	}
}

func make501() []types.PutRecordsRequestEntry {
	entries := make([]types.PutRecordsRequestEntry, 501)
	for i := range entries {
		entries[i] = types.PutRecordsRequestEntry{Data: []byte("x"), PartitionKey: aws.String("k")}
	}
	return entries
}

func TestStream_Life(t *testing.T) {
	t.Parallel()
	c := newKinesis(t)
	name := createStream(t, c, 1)
	ctx := t.Context()
	if _, err := c.IncreaseStreamRetentionPeriod(ctx, &kinesis.IncreaseStreamRetentionPeriodInput{StreamName: &name, RetentionPeriodHours: aws.Int32(48)}); err != nil {
		t.Fatal(err)
	}
	waitActive(t, c, name)
	d, err := c.DescribeStream(ctx, &kinesis.DescribeStreamInput{StreamName: &name})
	if err != nil {
		t.Fatal(err)
	}
	s := d.StreamDescription
	if *s.RetentionPeriodHours != 48 || len(s.Shards) != 1 || *s.HasMoreShards || s.StreamModeDetails.StreamMode != types.StreamModeProvisioned ||
		!strings.HasSuffix(*s.StreamARN, ":stream/"+name) || !strings.HasPrefix(*s.StreamARN, "arn:aws:kinesis:us-east-1:") {
		t.Errorf("unexpected description %+v", s)
	}
	if _, err := c.AddTagsToStream(ctx, &kinesis.AddTagsToStreamInput{StreamName: &name, Tags: map[string]string{"a": "1", "b": "2"}}); err != nil {
		t.Fatal(err)
	}
	tags, err := c.ListTagsForStream(ctx, &kinesis.ListTagsForStreamInput{StreamName: &name})
	if err != nil || len(tags.Tags) != 2 || *tags.HasMoreTags {
		t.Errorf("got tags %+v, %v", tags, err)
	}
	found := false
	p := kinesis.NewListStreamsPaginator(c, &kinesis.ListStreamsInput{Limit: aws.Int32(2)})
	for p.HasMorePages() {
		page, err := p.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range page.StreamNames {
			found = found || n == name
		}
	}
	if !found {
		t.Errorf("ListStreams does not list %s", name)
	}
	if _, err := c.DeleteStream(ctx, &kinesis.DeleteStreamInput{StreamName: &name}); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(20 * time.Second)
	for {
		_, err := c.DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: &name})
		if err != nil {
			wantCode(t, err, "ResourceNotFoundException")
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the deleted stream is still there")
		}
		pause(t, 20*time.Millisecond)
	}
}
