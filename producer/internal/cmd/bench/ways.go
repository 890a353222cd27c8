package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/account"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/delivery"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/local"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/put"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/source"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/stream"
)

// way is one way to put messages.
type way struct {
	name string
	run  func(ctx context.Context, server *local.Server, size, count int) (result, error)
}

func ways() []way {
	return []way{
		{"plain loop", plainLoop},
		{"producer", producer(func(*delivery.Options) {})},
		{"producer, ordered", producer(func(o *delivery.Options) { o.Ordered = true })},
		{"producer, aggregated", producer(func(o *delivery.Options) { o.AggregateBytes = 51200 })},
	}
}

// plainLoop is what one writes first: fill a request, put it, look for failed
// entries. One after the other, no retries, no account.
func plainLoop(ctx context.Context, server *local.Server, size, count int) (result, error) {
	cfg := server.Config("plain")
	cfg.HTTPClient = nil // the SDK's own
	client := kinesis.NewFromConfig(cfg)
	messages := source.NewGenerator(int64(count), size, source.FreshKeys())
	in := &kinesis.PutRecordsInput{StreamName: aws.String("bench")}
	var r result
	bytes := 0
	flush := func() error {
		out, err := client.PutRecords(ctx, in)
		for ; err != nil; out, err = client.PutRecords(ctx, in) {
			if r.errors++; r.errors > 100 {
				return err
			}
		}
		if aws.ToInt32(out.FailedRecordCount) != 0 {
			return fmt.Errorf("%d entries failed", *out.FailedRecordCount)
		}
		r.requests++
		in.Records, bytes = in.Records[:0], 0
		return nil
	}
	for {
		m, err := messages.Next()
		if errors.Is(err, io.EOF) {
			return r, flush()
		}
		if len(in.Records) == put.MaxRecords || len(in.Records) > 0 && bytes+m.Size() > put.MaxBytes {
			if err := flush(); err != nil {
				return r, err
			}
		}
		in.Records = append(in.Records, types.PutRecordsRequestEntry{Data: m.Data, PartitionKey: aws.String(m.Key)})
		bytes += m.Size()
		r.units += int64(math.Ceil(float64(m.Size()) / (25 << 10)))
	}
}

// producer is the producer with its defaults, changed by change.
func producer(change func(*delivery.Options)) func(context.Context, *local.Server, int, int) (result, error) {
	return func(ctx context.Context, server *local.Server, size, count int) (result, error) {
		client := put.Dial(server.Config("producer"), 8)
		shards, err := stream.New(client, "bench").Shards(ctx)
		if err != nil {
			return result{}, err
		}
		books := account.New()
		o := delivery.Options{
			Linger: 50 * time.Millisecond, AttemptTimeout: 10 * time.Second, RetryTimeout: time.Minute, Concurrency: 8,
			MaxRecords: put.MaxRecords, MaxBytes: put.MaxBytes, MaxBuffered: 64 << 20,
			Put: put.New(client, "bench"), Shards: shards, Account: books, Log: zerolog.Nop(),
		}
		change(&o)
		engine := delivery.New(o)
		done := make(chan error, 1)
		go func() { done <- engine.Run(ctx) }()
		messages := source.NewGenerator(int64(count), size, source.FreshKeys())
		for {
			m, err := messages.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err := engine.Submit(ctx, m); err != nil {
				return result{}, err
			}
		}
		engine.Close()
		if err := <-done; err != nil {
			return result{}, err
		}
		sum := books.Summarize(time.Second)
		if sum.Acknowledged != int64(count) || sum.Retried != 0 {
			return result{}, fmt.Errorf("got %d acknowledged, %d retried, want %d, 0", sum.Acknowledged, sum.Retried, count)
		}
		return result{requests: sum.Requests, units: sum.PayloadUnits}, nil
	}
}
