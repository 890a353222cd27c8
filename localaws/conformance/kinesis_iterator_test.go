package conformance_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// TestGetShardIterator_Types reads a shard of five records from every kind of
// place.
func TestGetShardIterator_Types(t *testing.T) {
	t.Parallel()
	c := newKinesis(t)
	name := createStream(t, c, 1)
	shard := "shardId-000000000000"
	var sequences []string
	var third time.Time
	for i := range 5 {
		if i == 2 {
			pause(t, 20*time.Millisecond) // so that the third arrives in a later millisecond
		}
		sequences = append(sequences, *put(t, c, name, "0", fmt.Sprint(i)).SequenceNumber)
	}
	newest := iteratorOf(t, c, &kinesis.GetShardIteratorInput{StreamName: &name, ShardId: &shard, ShardIteratorType: types.ShardIteratorTypeLatest})
	all, _ := drain(t, c, iteratorOf(t, c, &kinesis.GetShardIteratorInput{StreamName: &name, ShardId: &shard, ShardIteratorType: types.ShardIteratorTypeTrimHorizon}), 5)
	third = *all[2].ApproximateArrivalTimestamp

	for _, tc := range []struct {
		name string
		in   kinesis.GetShardIteratorInput
		want string
	}{
		{"TRIM_HORIZON", kinesis.GetShardIteratorInput{ShardIteratorType: types.ShardIteratorTypeTrimHorizon}, "0"},
		{"AT_SEQUENCE_NUMBER", kinesis.GetShardIteratorInput{ShardIteratorType: types.ShardIteratorTypeAtSequenceNumber, StartingSequenceNumber: &sequences[3]}, "3"},
		{"AFTER_SEQUENCE_NUMBER", kinesis.GetShardIteratorInput{ShardIteratorType: types.ShardIteratorTypeAfterSequenceNumber, StartingSequenceNumber: &sequences[3]}, "4"},
		{"AT_TIMESTAMP of a record", kinesis.GetShardIteratorInput{ShardIteratorType: types.ShardIteratorTypeAtTimestamp, Timestamp: &third}, "2"},
		{"AT_TIMESTAMP before all", kinesis.GetShardIteratorInput{ShardIteratorType: types.ShardIteratorTypeAtTimestamp, Timestamp: aws.Time(third.Add(-time.Hour))}, "0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.in.StreamName, tc.in.ShardId = &name, &shard
			records, _ := drain(t, c, iteratorOf(t, c, &tc.in), 1)
			if got := string(records[0].Data); got != tc.want {
				t.Errorf("the first record is %s, want %s", got, tc.want)
			}
		})
	}
	t.Run("LATEST", func(t *testing.T) {
		put(t, c, name, "0", "new")
		records, _ := drain(t, c, newest, 1)
		if len(records) != 1 || string(records[0].Data) != "new" {
			t.Errorf("got %d records, the first %q, want only the new one", len(records), records[0].Data)
		}
	})
	t.Run("start of the shard", func(t *testing.T) {
		in := &kinesis.GetShardIteratorInput{StreamName: &name, ShardId: &shard, ShardIteratorType: types.ShardIteratorTypeAtSequenceNumber}
		in.StartingSequenceNumber = listShards(t, c, name)[0].SequenceNumberRange.StartingSequenceNumber
		records, _ := drain(t, c, iteratorOf(t, c, in), 1)
		if got := string(records[0].Data); got != "0" {
			t.Errorf("the first record is %s, want 0", got)
		}
	})
}

func TestGetRecords_LimitAndLag(t *testing.T) {
	t.Parallel()
	c := newKinesis(t)
	name := createStream(t, c, 1)
	var entries []types.PutRecordsRequestEntry
	for i := range 10 {
		entries = append(entries, types.PutRecordsRequestEntry{Data: fmt.Append(nil, i), PartitionKey: aws.String("k")})
	}
	if _, err := c.PutRecords(t.Context(), &kinesis.PutRecordsInput{StreamName: &name, Records: entries}); err != nil {
		t.Fatal(err)
	}
	pause(t, 10*time.Millisecond)
	it := iteratorOf(t, c, &kinesis.GetShardIteratorInput{StreamName: &name, ShardId: aws.String("shardId-000000000000"), ShardIteratorType: types.ShardIteratorTypeTrimHorizon})
	seen := 0
	for want := range 4 {
		out, err := c.GetRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: it, Limit: aws.Int32(3)})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range out.Records {
			if string(r.Data) != fmt.Sprint(seen) {
				t.Fatalf("record %d is %q", seen, r.Data)
			}
			seen++
		}
		if n := len(out.Records); want < 3 && n != 3 || want == 3 && n != 1 {
			t.Errorf("call %d: got %d records", want, n)
		}
		behind := aws.ToInt64(out.MillisBehindLatest)
		if want < 3 && behind <= 0 && !isServer("kinesis-local") { // always says 0
			t.Errorf("call %d: %d ms behind with records left", want, behind)
		}
		if want == 3 && behind != 0 {
			t.Errorf("at the tip, but %d ms behind", behind)
		}
		if it = out.NextShardIterator; it == nil {
			t.Fatal("no next iterator of an open shard")
		}
	}
}

func TestPutRecord_HashKeys(t *testing.T) {
	t.Parallel()
	c := newKinesis(t)
	name := createStream(t, c, 4)
	// md5("a") = 0cc175b9…, md5("b") = 92eb5ffe…: the first and the third quarter.
	for key, want := range map[string]string{"a": "shardId-000000000000", "b": "shardId-000000000002"} {
		out, err := c.PutRecord(t.Context(), &kinesis.PutRecordInput{StreamName: &name, PartitionKey: &key, Data: []byte("x")})
		if err != nil {
			t.Fatal(err)
		}
		if *out.ShardId != want {
			t.Errorf("key %s went to %s, want %s", key, *out.ShardId, want)
		}
	}
	knownFault(t, "kinesis-local", "cuts 2^128-1, not 2^128, into equal ranges")
	for hash, want := range map[string]string{
		"0":                                       "shardId-000000000000",
		"85070591730234615865843651857942052863":  "shardId-000000000000",
		"85070591730234615865843651857942052864":  "shardId-000000000001",
		"340282366920938463463374607431768211455": "shardId-000000000003",
	} {
		if got := put(t, c, name, hash, "x"); *got.ShardId != want {
			t.Errorf("hash key %s went to %s, want %s", hash, *got.ShardId, want)
		}
	}
}
