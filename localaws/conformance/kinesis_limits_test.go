package conformance_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
)

// TestPutRecord_KeyCounts: the partition key is part of a record's size.
func TestPutRecord_KeyCounts(t *testing.T) {
	t.Parallel()
	c := newKinesis(t, func(o *kinesis.Options) { o.RetryMaxAttempts = 1 })
	name := createStream(t, c, 1)
	key := strings.Repeat("k", 256)
	put := func(size int) error {
		_, err := c.PutRecord(t.Context(), &kinesis.PutRecordInput{StreamName: &name, PartitionKey: &key, Data: bytes.Repeat([]byte("x"), size)})
		return err
	}
	wantStored(t, put(1<<20-256))
	knownFault(t, "kinesis-local", "counts the data only")
	wantCode(t, put(1<<20-255), "ValidationException", "InvalidArgumentException")
}

// TestDescribeStream_Hundred: no page has more than 100 shards, whatever is
// asked for.
func TestDescribeStream_Hundred(t *testing.T) {
	t.Parallel()
	c := newKinesis(t)
	knownFault(t, "kinesis-local", "gives what is asked for")
	name := createStream(t, c, 101)
	out, err := c.DescribeStream(t.Context(), &kinesis.DescribeStreamInput{StreamName: &name, Limit: aws.Int32(10000)})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(out.StreamDescription.Shards); got != 100 || !*out.StreamDescription.HasMoreShards {
		t.Errorf("got %d shards, more: %v; want 100 and more", got, *out.StreamDescription.HasMoreShards)
	}
}
