package server_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/server"
)

// BenchmarkServer_PutRecords sends 500 records of 200 bytes a call over HTTP,
// from a client that costs as little as it can.
func BenchmarkServer_PutRecords(b *testing.B) {
	url := benchServer(b)
	c := client(url, "me")
	if _, err := c.CreateStream(b.Context(), &kinesis.CreateStreamInput{StreamName: aws.String("test"), ShardCount: aws.Int32(3)}); err != nil {
		b.Fatal(err)
	}
	var body bytes.Buffer
	body.WriteString(`{"StreamName":"test","Records":[`)
	data := base64.StdEncoding.EncodeToString(make([]byte, 200))
	for i := range 500 {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"Data":%q,"PartitionKey":"key-%d"}`, data, i)
	}
	body.WriteString(`]}`)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url, bytes.NewReader(body.Bytes()))
			if err != nil {
				b.Error(err)
				return
			}
			req.Header = http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {"Kinesis_20131202.PutRecords"}, "Authorization": {authorization}}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	})
	b.ReportMetric(float64(b.N)*500/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkServer_PutRecord is the cost of one call by the SDK, retries off.
func BenchmarkServer_PutRecord(b *testing.B) {
	url := benchServer(b)
	c := client(url, "me")
	if _, err := c.CreateStream(b.Context(), &kinesis.CreateStreamInput{StreamName: aws.String("test"), ShardCount: aws.Int32(1)}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := c.PutRecord(b.Context(), &kinesis.PutRecordInput{StreamName: aws.String("test"), PartitionKey: aws.String("k"), Data: []byte("x")}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkServer_GetRecords reads 10,000 records of 200 bytes by the SDK, whose
// parsing is most of it.
func BenchmarkServer_GetRecords(b *testing.B) {
	url := benchServer(b)
	c := client(url, "me")
	if _, err := c.CreateStream(b.Context(), &kinesis.CreateStreamInput{StreamName: aws.String("test"), ShardCount: aws.Int32(1)}); err != nil {
		b.Fatal(err)
	}
	entries := make([]types.PutRecordsRequestEntry, 500)
	for i := range entries {
		entries[i] = types.PutRecordsRequestEntry{Data: make([]byte, 200), PartitionKey: aws.String("key")}
	}
	for range 20 {
		if _, err := c.PutRecords(b.Context(), &kinesis.PutRecordsInput{StreamName: aws.String("test"), Records: entries}); err != nil {
			b.Fatal(err)
		}
	}
	it, err := c.GetShardIterator(b.Context(), &kinesis.GetShardIteratorInput{StreamName: aws.String("test"), ShardId: aws.String("shardId-000000000000"), ShardIteratorType: types.ShardIteratorTypeTrimHorizon})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		out, err := c.GetRecords(b.Context(), &kinesis.GetRecordsInput{ShardIterator: it.ShardIterator})
		if err != nil || len(out.Records) != 10000 {
			b.Fatalf("%v", err)
		}
	}
	b.ReportMetric(float64(b.N)*10000/b.Elapsed().Seconds(), "records/s")
}

func benchServer(b *testing.B) string {
	b.Helper()
	s := server.New(server.Options{})
	url, err := s.Start("127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return url
}
