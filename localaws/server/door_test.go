package server_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/server"
)

// call is one request of the AWS protocols, as bytes.
func call(ctx context.Context, target, contentType string, body []byte) *http.Request {
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", bytes.NewReader(body))
	r.Header.Set("X-Amz-Target", target)
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=fuzz/20260101/us-east-1/x/aws4_request, SignedHeaders=host, Signature=00")
	return r
}

const (
	streams = "Kinesis_20131202."
	tables  = "DynamoDB_20120810."
)

type request struct{ target, body string }

// requests that are good, as seeds; the first two make what the others use.
func requests() []request {
	return []request{
		{streams + "CreateStream", `{"StreamName":"test","ShardCount":2}`},
		{tables + "CreateTable", `{"TableName":"t","KeySchema":[{"AttributeName":"h","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"h","AttributeType":"S"}],"BillingMode":"PAY_PER_REQUEST"}`},
		{streams + "PutRecords", `{"StreamName":"test","Records":[{"Data":"YQ==","PartitionKey":"k"},{"Data":"YQ==","PartitionKey":"\u00e9","ExplicitHashKey":"1"}]}`},
		{streams + "PutRecord", `{"StreamName":"test","Data":"YQ==","PartitionKey":"k"}`},
		{streams + "GetShardIterator", `{"StreamName":"test","ShardId":"shardId-000000000000","ShardIteratorType":"AT_TIMESTAMP","Timestamp":1.5}`},
		{streams + "GetRecords", `{"ShardIterator":"AAAA","Limit":10}`},
		{streams + "ListShards", `{"StreamName":"test","MaxResults":1,"ShardFilter":{"Type":"AT_LATEST"}}`},
		{streams + "SplitShard", `{"StreamName":"test","ShardToSplit":"shardId-000000000000","NewStartingHashKey":"10"}`},
		{streams + "MergeShards", `{"StreamName":"test","ShardToMerge":"shardId-000000000000","AdjacentShardToMerge":"shardId-000000000001"}`},
		{streams + "UpdateShardCount", `{"StreamName":"test","TargetShardCount":3,"ScalingType":"UNIFORM_SCALING"}`},
		{streams + "SubscribeToShard", `{"ConsumerARN":"arn:aws:kinesis:us-east-1:000000000000:stream/test/consumer/c:1","ShardId":"shardId-000000000000","StartingPosition":{"Type":"LATEST"}}`},
		{tables + "PutItem", `{"TableName":"t","Item":{"h":{"S":"a"},"n":{"N":"1e3"},"l":{"L":[{"M":{"x":{"NULL":true}}}]}},"ConditionExpression":"attribute_not_exists(h) OR size(#l) > :n","ExpressionAttributeNames":{"#l":"l"},"ExpressionAttributeValues":{":n":{"N":"0"}}}`},
		{tables + "UpdateItem", `{"TableName":"t","Key":{"h":{"S":"a"}},"UpdateExpression":"SET n = if_not_exists(n, :z) + :o REMOVE l[0] ADD q :o","ExpressionAttributeValues":{":z":{"N":"0"},":o":{"N":"1"}},"ReturnValues":"ALL_NEW"}`},
		{tables + "Query", `{"TableName":"t","KeyConditionExpression":"h = :h","ExpressionAttributeValues":{":h":{"S":"a"}},"Limit":1}`},
		{tables + "Scan", `{"TableName":"t","Segment":0,"TotalSegments":2,"FilterExpression":"contains(h, :h)","ExpressionAttributeValues":{":h":{"S":"a"}}}`},
		{tables + "BatchWriteItem", `{"RequestItems":{"t":[{"PutRequest":{"Item":{"h":{"S":"b"}}}},{"DeleteRequest":{"Key":{"h":{"S":"a"}}}}]}}`},
		{tables + "TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"t","Item":{"h":{"S":"c"}}}},{"ConditionCheck":{"TableName":"t","Key":{"h":{"S":"a"}},"ConditionExpression":"attribute_exists(h)"}}]}`},
	}
}

// FuzzServer takes anything for a request of either service: there is always an
// answer, it is never a failure of the server's own, and it is not much
// larger than what there is to answer.
func FuzzServer(f *testing.F) {
	for _, r := range requests() {
		f.Add(r.target, "application/x-amz-json-1.1", []byte(r.body))
	}
	f.Add(streams+"PutRecords", "application/x-amz-cbor-1.1", []byte("\xbf\x6aStreamName\x64test\x67Records\x81\xa2\x64Data\x41a\x6cPartitionKey\x61k\xff"))
	f.Add(streams+"GetRecords", "application/x-amz-cbor-1.1", []byte("\xa1\x65Limit\xfb\x7f\xef\xff\xff\xff\xff\xff\xff"))
	f.Add(tables+"PutItem", "application/x-amz-json-1.0", []byte(strings.Repeat(`{"Item":`, 20_000)))
	f.Fuzz(func(t *testing.T, target, contentType string, body []byte) {
		s := server.New(server.Options{})
		for _, r := range requests()[:2] {
			s.ServeHTTP(httptest.NewRecorder(), call(t.Context(), r.target, "application/x-amz-json-1.1", []byte(r.body)))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		out := httptest.NewRecorder()
		s.ServeHTTP(out, call(ctx, target, contentType, body))
		if out.Code >= 500 || ctx.Err() != nil || out.Body.Len() > 1<<20 {
			t.Errorf("got status %d, %d bytes, %v for %s %.200q: %.200s", out.Code, out.Body.Len(), ctx.Err(), target, body, out.Body)
		}
	})
}
