// Package conformance_test runs the same tests, by the AWS SDK for Go, against
// localaws and against servers that others wrote: see run.sh.
package conformance_test

import (
	"context"
	"fmt"
	"math/big"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/sdktest"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/server"
)

// kinesisEndpoint names the variable that points the tests at another server.
const kinesisEndpoint = "CONFORMANCE_KINESIS_ENDPOINT"

var names atomic.Int64

// uniqueName returns a name no other test has used.
func uniqueName(prefix string) string {
	return fmt.Sprintf("%s-%d-%d", prefix, os.Getpid(), names.Add(1))
}

// newKinesis returns a client of the server under test: localaws in this process,
// or the one the environment names.
func newKinesis(t *testing.T, change ...func(*kinesis.Options)) *kinesis.Client {
	t.Helper()
	endpoint := os.Getenv(kinesisEndpoint)
	if endpoint == "" {
		s := server.New(server.Options{Secret: "secret"})
		var err error
		if endpoint, err = s.Start("127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
	}
	return kinesisAt(endpoint, change...)
}

func kinesisAt(endpoint string, change ...func(*kinesis.Options)) *kinesis.Client {
	o := kinesis.Options{
		BaseEndpoint: aws.String(endpoint), Region: "us-east-1", HTTPClient: sdktest.NewHTTPClient(),
		Credentials: credentials.NewStaticCredentialsProvider("conformance", "secret", ""),
	}
	return kinesis.New(o, change...)
}

// knownFault skips a test that the named server is known to fail.
func knownFault(t *testing.T, serverName, reason string) {
	t.Helper()
	if isServer(serverName) {
		t.Skipf("known fault of %s: %s", serverName, reason)
	}
}

// isServer tells whether the tests run against the named server.
func isServer(name string) bool { return os.Getenv("CONFORMANCE_SERVER") == name }

// createStream makes a stream and waits until it is active; it is deleted when
// the test ends.
func createStream(t *testing.T, c *kinesis.Client, shards int32) string {
	t.Helper()
	name := uniqueName("stream")
	ctx := t.Context()
	if _, err := c.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: &name, ShardCount: &shards}); err != nil {
		t.Fatalf("create stream: %v", err)
	}
	t.Cleanup(func() {
		_, _ = c.DeleteStream(context.WithoutCancel(ctx), &kinesis.DeleteStreamInput{StreamName: &name, EnforceConsumerDeletion: aws.Bool(true)})
	})
	waitActive(t, c, name)
	return name
}

func waitActive(t *testing.T, c *kinesis.Client, name string) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		out, err := c.DescribeStreamSummary(t.Context(), &kinesis.DescribeStreamSummaryInput{StreamName: &name})
		if err == nil && out.StreamDescriptionSummary.StreamStatus == types.StreamStatusActive {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("stream %s is not active: %v", name, err)
		}
		pause(t, 20*time.Millisecond)
	}
}

// pause waits between polls of a server in another process.
func pause(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
		t.Fatal(t.Context().Err())
	}
}

func listShards(t *testing.T, c *kinesis.Client, name string) []types.Shard {
	t.Helper()
	out, err := c.ListShards(t.Context(), &kinesis.ListShardsInput{StreamName: &name})
	if err != nil {
		t.Fatalf("list shards: %v", err)
	}
	return out.Shards
}

func iteratorOf(t *testing.T, c *kinesis.Client, in *kinesis.GetShardIteratorInput) *string {
	t.Helper()
	out, err := c.GetShardIterator(t.Context(), in)
	if err != nil {
		t.Fatalf("get shard iterator: %v", err)
	}
	return out.ShardIterator
}

// drain reads from an iterator until it has want records, or until the shard
// ends if want is negative, and returns them with the last answer.
func drain(t *testing.T, c *kinesis.Client, it *string, want int) ([]types.Record, *kinesis.GetRecordsOutput) {
	t.Helper()
	var records []types.Record
	deadline := time.Now().Add(20 * time.Second)
	for {
		out, err := c.GetRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: it})
		if err != nil {
			t.Fatalf("get records: %v", err)
		}
		records = append(records, out.Records...)
		it = out.NextShardIterator
		if it == nil || want >= 0 && len(records) >= want {
			return records, out
		}
		if time.Now().After(deadline) {
			t.Fatalf("got %d records, want %d", len(records), want)
		}
		if len(out.Records) == 0 {
			pause(t, 5*time.Millisecond)
		}
	}
}

func number(t *testing.T, sequence *string) *big.Int {
	t.Helper()
	n, ok := new(big.Int).SetString(aws.ToString(sequence), 10)
	if !ok {
		t.Fatalf("sequence number %q is no number", aws.ToString(sequence))
	}
	return n
}

func TestPutRecords_ReadBack(t *testing.T) {
	t.Parallel()
	c := newKinesis(t)
	name := createStream(t, c, 3)
	var entries []types.PutRecordsRequestEntry
	for i := range 300 {
		entries = append(entries, types.PutRecordsRequestEntry{
			Data: fmt.Appendf(nil, "record %d \x00\xff", i), PartitionKey: aws.String(fmt.Sprintf("key-%d \"é\\", i)),
		})
	}
	put, err := c.PutRecords(t.Context(), &kinesis.PutRecordsInput{StreamName: &name, Records: entries})
	if err != nil {
		t.Fatalf("put records: %v", err)
	}
	if got := aws.ToInt32(put.FailedRecordCount); got != 0 || len(put.Records) != 300 {
		t.Fatalf("got %d failed of %d, want 0 of 300", got, len(put.Records))
	}
	byShard := map[string][]int{}
	for i, r := range put.Records {
		byShard[*r.ShardId] = append(byShard[*r.ShardId], i)
	}
	if len(byShard) != 3 {
		t.Fatalf("300 keys went to %d shards, want 3", len(byShard))
	}
	for shard, want := range byShard {
		it := iteratorOf(t, c, &kinesis.GetShardIteratorInput{StreamName: &name, ShardId: &shard, ShardIteratorType: types.ShardIteratorTypeTrimHorizon})
		got, _ := drain(t, c, it, len(want))
		if len(got) != len(want) {
			t.Fatalf("%s: got %d records, want %d", shard, len(got), len(want))
		}
		for i, r := range got {
			w := want[i]
			if string(r.Data) != string(entries[w].Data) || *r.PartitionKey != *entries[w].PartitionKey || *r.SequenceNumber != *put.Records[w].SequenceNumber {
				t.Fatalf("%s: record %d is %q %q %s, want entry %d", shard, i, r.Data, *r.PartitionKey, *r.SequenceNumber, w)
			}
			if since := time.Since(aws.ToTime(r.ApproximateArrivalTimestamp)); since < -time.Minute || since > time.Minute {
				t.Fatalf("record %d arrived %v ago", i, since)
			}
			if i > 0 && number(t, r.SequenceNumber).Cmp(number(t, got[i-1].SequenceNumber)) <= 0 {
				t.Fatalf("record %d: sequence number does not grow", i)
			}
			if n := len(*r.SequenceNumber); n != 56 || !strings.HasPrefix(*r.SequenceNumber, "4") {
				t.Fatalf("sequence number %s has %d digits, want 56", *r.SequenceNumber, n)
			}
		}
	}
}
