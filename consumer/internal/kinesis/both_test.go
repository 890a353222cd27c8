package kinesis_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/awstest"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/kinesis"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/reader"
)

// TestSource_SameInBoth reads a stream in CBOR and in JSON: of localaws, or of
// the server at CONSUMER_TEST_KINESIS, which others wrote.
func TestSource_SameInBoth(t *testing.T) {
	cfg := aws.Config{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")}
	if url := os.Getenv("CONSUMER_TEST_KINESIS"); url != "" {
		cfg.BaseEndpoint = &url
	} else {
		cfg = awstest.Start(t, localaws).Config("reader")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	g := fill(ctx, t, sdk.NewFromConfig(cfg))
	var log bytes.Buffer
	binary, text := kinesis.New(cfg, zerolog.New(&log)), kinesis.New(cfg, zerolog.Nop())
	text.OnlyJSON()
	got, want := readAll(ctx, t, binary, g), readAll(ctx, t, text, g)
	if len(want.Records) != len(payloads()) {
		t.Fatalf("got %d records in JSON, want %d", len(want.Records), len(payloads()))
	}
	want.Payload = got.Payload // in JSON, base64's padding is in it
	equal(t, got, want)
	for _, b := range []*reader.Batch{got, want} {
		if age := time.Since(b.Records[0].Arrived); age < -time.Hour || age > time.Hour {
			t.Errorf("arrived %s ago", age)
		}
	}
	if log.Len() > 0 {
		t.Error(log.String())
	}
	for _, s := range []*kinesis.Source{binary, text} {
		if _, err := s.Records(ctx, g, "no iterator"); err == nil {
			t.Error("an iterator that is none: no error")
		}
	}
}

func payloads() [][]byte {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	return [][]byte{[]byte(`{"foo":"bar"}`), every, {0}, bytes.Repeat([]byte("x"), 100_000), []byte("é"), bytes.Repeat(every, 20)}
}

// fill makes a stream of one shard with the payloads in it.
func fill(ctx context.Context, t *testing.T, client *sdk.Client) contract.Grant {
	t.Helper()
	name := aws.String("both-" + strings.ToLower(rand.Text()))
	if _, err := client.CreateStream(ctx, &sdk.CreateStreamInput{StreamName: name, ShardCount: aws.Int32(1)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = client.DeleteStream(context.WithoutCancel(ctx), &sdk.DeleteStreamInput{StreamName: name})
	})
	if err := sdk.NewStreamExistsWaiter(client, func(o *sdk.StreamExistsWaiterOptions) { o.MinDelay = 50 * time.Millisecond }).Wait(ctx, &sdk.DescribeStreamInput{StreamName: name}, time.Minute); err != nil {
		t.Fatal(err)
	}
	for i, p := range payloads() {
		key := aws.String(fmt.Sprint("ключ ", i))
		if _, err := client.PutRecord(ctx, &sdk.PutRecordInput{StreamName: name, PartitionKey: key, Data: p}); err != nil {
			t.Fatal(err)
		}
	}
	out, err := client.DescribeStream(ctx, &sdk.DescribeStreamInput{StreamName: name})
	if err != nil {
		t.Fatal(err)
	}
	return contract.Grant{Stream: *name, Shard: *out.StreamDescription.Shards[0].ShardId, Start: horizon}
}

// readAll reads a shard to its newest record.
func readAll(ctx context.Context, t *testing.T, s *kinesis.Source, g contract.Grant) *reader.Batch {
	t.Helper()
	it, err := s.Iterator(ctx, g, reader.Start{Start: g.Start})
	if err != nil {
		t.Fatal(err)
	}
	all := &reader.Batch{}
	for len(all.Records) < len(payloads()) && ctx.Err() == nil {
		b, err := s.Records(ctx, g, it)
		if err != nil {
			t.Fatal(err)
		}
		if b.Next == "" {
			t.Fatal("no next iterator")
		}
		all.Records, all.Payload, it = append(all.Records, b.Records...), all.Payload+b.Payload, b.Next
	}
	return all
}
