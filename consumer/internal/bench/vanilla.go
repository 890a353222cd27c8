package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/memory"
)

// vanilla is what one would write first: a loop a shard over the SDK's clients
// as they come, and the same items. The SDK's fault that breaks connections to
// a fast server (see unbroken) is kept from it too: else it would pay for
// calls made twice. Tuned, it has the consumer's connections, buffers and
// collector.
func vanilla(ctx context.Context, w workload, tuned bool) error {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return fmt.Errorf("load configuration: %w", err)
	}
	client, ok := cfg.HTTPClient.(*awshttp.BuildableClient)
	if !ok {
		client = awshttp.NewBuildableClient()
	}
	if tuned {
		client = client.WithTransportOptions(func(t *http.Transport) {
			t.MaxIdleConns, t.MaxIdleConnsPerHost, t.WriteBufferSize, t.ReadBufferSize = 512, 512, 64<<10, 64<<10
		})
		memory.Set(0, 128<<20)
	}
	cfg.HTTPClient = unbroken{client}
	k := kinesis.NewFromConfig(cfg)
	d := dynamodb.NewFromConfig(cfg)
	errs := make([]error, w.Shards)
	var shards sync.WaitGroup
	for i := range w.Shards {
		shards.Go(func() { errs[i] = vanillaShard(ctx, k, d, shardID(i), w.PerShard) })
	}
	shards.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func vanillaShard(ctx context.Context, k *kinesis.Client, d *dynamodb.Client, shard string, messages int) error {
	it, err := k.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{
		StreamName: aws.String("bench"), ShardId: aws.String(shard), ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	})
	if err != nil {
		return err
	}
	next := it.ShardIterator
	for done := 0; done < messages; {
		out, err := k.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: next})
		if err != nil {
			return err
		}
		next = out.NextShardIterator
		done += len(out.Records)
		for records := out.Records; len(records) > 0; {
			n := min(25, len(records))
			if err := vanillaWrite(ctx, d, shard, records[:n]); err != nil {
				return err
			}
			records = records[n:]
		}
	}
	return nil
}

func vanillaWrite(ctx context.Context, d *dynamodb.Client, shard string, records []types.Record) error {
	s := func(v string) ddb.AttributeValue { return &ddb.AttributeValueMemberS{Value: v} }
	var writes []ddb.WriteRequest
	for _, r := range records {
		var meta ddb.AttributeValue = &ddb.AttributeValueMemberB{Value: r.Data}
		if json.Valid(r.Data) {
			meta = s(string(r.Data))
		}
		writes = append(writes, ddb.WriteRequest{PutRequest: &ddb.PutRequest{Item: map[string]ddb.AttributeValue{
			"id": s(shard + "/" + *r.SequenceNumber + "/0"), "meta": meta, "partitionKey": s(*r.PartitionKey),
			"shardId": s(shard), "sequenceNumber": s(*r.SequenceNumber),
			"arrivedAt": &ddb.AttributeValueMemberN{Value: strconv.FormatInt(r.ApproximateArrivalTimestamp.UnixMilli(), 10)},
		}}})
	}
	for len(writes) > 0 {
		out, err := d.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]ddb.WriteRequest{"messages": writes}})
		if err != nil {
			return err
		}
		writes = out.UnprocessedItems["messages"]
	}
	return nil
}

// unbroken gives net/http bodies without the WriteTo that the SDK breaks (see
// awsclient.Detached), and leaves everything else as it is.
type unbroken struct{ client aws.HTTPClient }

// Do implements aws.HTTPClient.
func (u unbroken) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r = r.WithContext(r.Context())
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return u.client.Do(r) //nolint:wrapcheck // it is the client
}
