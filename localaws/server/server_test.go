package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/sdktest"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/server"
)

// patience bounds what a test waits for: against hanging, not against a machine
// that has more to do.
const patience = time.Minute

func start(t *testing.T, o server.Options) string {
	t.Helper()
	s := server.New(o)
	url, err := s.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return url
}

// client returns a Kinesis client of the given name that tries once.
func client(url, name string) *kinesis.Client {
	return kinesis.New(kinesis.Options{
		BaseEndpoint: &url, Region: "us-east-1", RetryMaxAttempts: 1, HTTPClient: sdktest.NewHTTPClient(),
		Credentials: credentials.NewStaticCredentialsProvider(name, "secret", ""),
	})
}

// createStream makes the stream test, of one shard.
func createStream(t *testing.T, c *kinesis.Client) {
	t.Helper()
	if _, err := c.CreateStream(t.Context(), &kinesis.CreateStreamInput{StreamName: aws.String("test"), ShardCount: aws.Int32(1)}); err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, c *kinesis.Client, stream, data string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, err := c.PutRecord(ctx, &kinesis.PutRecordInput{StreamName: &stream, PartitionKey: aws.String("k"), Data: []byte(data)})
	return err
}

// admin calls the admin endpoint and decodes the answer into what into points to,
// if it is not nil.
func admin(t *testing.T, method, url, path, body string, into any) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url+"/_localaws/"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if into != nil {
		if err := json.Unmarshal(raw, into); err != nil {
			t.Fatalf("%s %s answers %s: %v", method, path, raw, err)
		}
	}
	return resp.StatusCode
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Errorf("got error %v, want %s", err, code)
	}
}

func post(t *testing.T, url string, header http.Header, body []byte) (status int, answer http.Header, raw []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if raw, err = io.ReadAll(resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, raw
}

const authorization = "AWS4-HMAC-SHA256 Credential=me/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=0"

func TestServer_ErrorsInAWSForm(t *testing.T) {
	t.Parallel()
	url := start(t, server.Options{})
	for _, tc := range []struct {
		name, target, contentType, auth, body, want string
		status                                      int
	}{
		{"no credentials", "Kinesis_20131202.ListStreams", "application/x-amz-json-1.1", "", "{}", "MissingAuthenticationTokenException", 400},
		{"bad credentials", "Kinesis_20131202.ListStreams", "application/x-amz-json-1.1", "Basic x", "{}", "IncompleteSignatureException", 400},
		{"unknown operation", "Kinesis_20131202.Dance", "application/x-amz-json-1.1", authorization, "{}", "UnknownOperationException", 400},
		{"unknown service", "Lambda.Invoke", "application/x-amz-json-1.1", authorization, "{}", "UnknownOperationException", 400},
		{"no target", "", "application/x-amz-json-1.1", authorization, "{}", "UnknownOperationException", 400},
		{"no JSON", "Kinesis_20131202.ListStreams", "application/x-amz-json-1.1", authorization, "{", "SerializationException", 400},
		{"wrong type", "Kinesis_20131202.ListStreams", "application/x-amz-json-1.1", authorization, `{"Limit":"x"}`, "SerializationException", 400},
		{"unknown content type", "Kinesis_20131202.ListStreams", "text/xml", authorization, "<a/>", "SerializationException", 400},
	} {
		t.Run(tc.name, func(t *testing.T) {
			header := http.Header{"Content-Type": {tc.contentType}, "X-Amz-Target": {tc.target}, "Authorization": {tc.auth}}
			status, answer, raw := post(t, url, header, []byte(tc.body))
			var got struct {
				Type    string `json:"__type"`
				Message string `json:"message"`
			}
			if err := json.Unmarshal(raw, &got); err != nil {
				t.Fatalf("body %s: %v", raw, err)
			}
			if status != tc.status || got.Type != tc.want || got.Message == "" {
				t.Errorf("got %d %+v, want %d %s with a message", status, got, tc.status, tc.want)
			}
			if len(answer.Get("X-Amzn-Requestid")) != 36 || answer.Get("Date") == "" {
				t.Errorf("headers lack a request id or a date: %v", answer)
			}
		})
	}
}

func TestServer_CBOR(t *testing.T) {
	t.Parallel()
	url := start(t, server.Options{})
	createStream(t, client(url, "me"))
	header := func(operation string) http.Header {
		return http.Header{"Content-Type": {"application/x-amz-cbor-1.1"}, "X-Amz-Target": {"Kinesis_20131202." + operation}, "Authorization": {authorization}}
	}
	// {"StreamName": "test", "PartitionKey": "k", "Data": h'00ff'}, the map and
	// the data of indefinite length as the Java SDK may write them.
	body := []byte("\xbf\x6aStreamName\x64test\x6cPartitionKey\x61k\x64Data\x5f\x41\x00\x41\xff\xff\xff")
	status, answer, raw := post(t, url, header("PutRecord"), body)
	if status != http.StatusOK || answer.Get("Content-Type") != "application/x-amz-cbor-1.1" || !bytes.Contains(raw, []byte("\x67ShardId\x74shardId-000000000000")) {
		t.Fatalf("put: got %d %q", status, raw)
	}
	it, err := client(url, "me").GetShardIterator(t.Context(), &kinesis.GetShardIteratorInput{
		StreamName: aws.String("test"), ShardId: aws.String("shardId-000000000000"), ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	})
	if err != nil {
		t.Fatal(err)
	}
	text := *it.ShardIterator
	body = append([]byte("\xa1\x6dShardIterator\x78"), byte(len(text)))
	_, _, raw = post(t, url, header("GetRecords"), append(body, text...))
	if !bytes.Contains(raw, []byte("\x64Data\x42\x00\xff")) || !bytes.Contains(raw, []byte("\x78\x1bApproximateArrivalTimestamp\xc1\x1b")) {
		t.Errorf("get: got %q, want the data as bytes and the time as tag 1", raw)
	}
	status, _, raw = post(t, url, header("GetRecords"), []byte{0xa0})
	if status != http.StatusBadRequest || !bytes.Contains(raw, []byte("\x66__type\x73ValidationException")) {
		t.Errorf("error: got %d %q", status, raw)
	}
	status, _, _ = post(t, url, header("GetRecords"), []byte{0xa1, 0x41})
	if status != http.StatusBadRequest {
		t.Errorf("broken CBOR: got %d", status)
	}
}
