package put_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"pgregory.net/rapid"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/awsclient"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/put"
)

// echo is a server that keeps the last request and gives a fixed answer.
type echo struct {
	*httptest.Server
	header http.Header
	body   []byte
	path   string
	status int
	answer string
}

func newEcho(t testing.TB) *echo {
	t.Helper()
	e := &echo{status: http.StatusOK, answer: `{"FailedRecordCount":0,"Records":[]}`}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.body, _ = io.ReadAll(r.Body)
		e.header, e.path = r.Header.Clone(), r.Method+" "+r.URL.String()
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(e.status)
		_, _ = io.WriteString(w, e.answer)
	}))
	t.Cleanup(e.Close)
	return e
}

func (e *echo) config() aws.Config {
	return aws.Config{
		Region: "eu-central-1", BaseEndpoint: &e.URL, Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
		HTTPClient: awsclient.Detached{Client: awshttp.NewBuildableClient()},
	}
}

// TestProtocol_Requests compares the hand-written request with the SDK's own.
func TestProtocol_Requests(t *testing.T) {
	e := newEcho(t)
	plain, fast := kinesis.NewFromConfig(e.config()), put.Dial(e.config(), 2)
	rapid.Check(t, func(rt *rapid.T) {
		in := &kinesis.PutRecordsInput{StreamName: aws.String(rapid.StringMatching(`[a-zA-Z0-9_.-]{1,20}`).Draw(rt, "stream"))}
		for range rapid.IntRange(1, 5).Draw(rt, "records") {
			r := types.PutRecordsRequestEntry{
				Data:         rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(rt, "data"),
				PartitionKey: aws.String(rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-f0-9-]{36}`), rapid.Just("\"\\\n\x00é\u2028<>&")).Draw(rt, "key")),
			}
			if r.Data == nil {
				r.Data = []byte{}
			}
			if rapid.Bool().Draw(rt, "hash") {
				r.ExplicitHashKey = aws.String(rapid.StringMatching(`[1-9][0-9]{0,37}`).Draw(rt, "hash key"))
			}
			in.Records = append(in.Records, r)
		}
		if rapid.Bool().Draw(rt, "arn") {
			in.StreamARN = aws.String("arn:aws:kinesis:eu-central-1:000000000000:stream/test")
		}
		send := func(c *kinesis.Client) (any, http.Header, string) {
			if _, err := c.PutRecords(context.Background(), in); err != nil {
				rt.Fatalf("put records: %v", err)
			}
			var body any
			if err := json.Unmarshal(e.body, &body); err != nil {
				rt.Fatalf("the body is not JSON: %v: %q", err, e.body)
			}
			return body, e.header, e.path
		}
		wantBody, wantHeader, wantPath := send(plain)
		gotBody, gotHeader, gotPath := send(fast)
		if !reflect.DeepEqual(gotBody, wantBody) || gotPath != wantPath {
			rt.Fatalf("got %s %v, want %s %v", gotPath, gotBody, wantPath, wantBody)
		}
		for _, name := range []string{"X-Amz-Target", "Content-Type"} {
			if gotHeader.Get(name) != wantHeader.Get(name) {
				rt.Fatalf("got %s %q, want %q", name, gotHeader.Get(name), wantHeader.Get(name))
			}
		}
		if got := gotHeader.Get("Content-Length"); got != fmt.Sprint(len(e.body)) {
			rt.Fatalf("got length %s, want %d", got, len(e.body))
		}
		if !strings.HasPrefix(gotHeader.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=id/") {
			rt.Fatalf("got no signature: %q", gotHeader.Get("Authorization"))
		}
	})
}

// answers that are usual, odd and broken.
func answers() []string {
	return []string{
		`{"FailedRecordCount":0,"Records":[{"SequenceNumber":"49","ShardId":"shardId-000000000001"},{"ShardId":"shardId-000000000001","SequenceNumber":"50"}]}`,
		`{"EncryptionType":"KMS","FailedRecordCount":1,"Records":[{"ErrorCode":"ProvisionedThroughputExceededException","ErrorMessage":"Rate exceeded for shard shardId-000000000001"},{"SequenceNumber":"49","ShardId":"s"}]}`,
		`{"Records":[]}`, `{}`, ` { "Records" : [ { } , {"ShardId" : "a"} ] , "FailedRecordCount" : 12 } `, "{\n\t\"Records\": []\r\n}",
		`{"Records":[{"ErrorMessage":"a \"quoted\" word \u00e9 é"}]}`, `{"Records":[{"ErrorMessage":null}]}`, `{"Records":null}`,
		`{"Unknown":{"a":[1,2]},"Records":[{"ShardId":"a","New":[{}]}]}`, `{"FailedRecordCount":-1}`, `{"FailedRecordCount":01}`,
		`{"FailedRecordCount":99999999999}`, `{"FailedRecordCount":1.5}`, `{"FailedRecordCount":}`, `{"Records":[{]}`, `{"Records":[{},]}`, `{"Records":[{}`, `{`,
		`{"Records":[{"ErrorMessage":"\u00e9"}]}`, `{"Records":[{"ErrorMessage":"a\nb"}]}`, "{\"Records\":[{\"ErrorMessage\":\"a\nb\"}]}", "{\"Records\":[{\"ErrorMessage\":\"\xff\"}]}",
		``, `[]`, `null`, `{"Records":[{"ShardId":"a"}]} x`, `{"Records":[{"ShardId":"` + strings.Repeat("x", 3000) + `"}]}`,
	}
}

// check compares how both clients read an answer.
func check(t testing.TB, e *echo, plain, fast *kinesis.Client, answer string) {
	e.answer = answer
	in := &kinesis.PutRecordsInput{StreamName: aws.String("s"), Records: []types.PutRecordsRequestEntry{{Data: []byte{}, PartitionKey: aws.String("k")}}}
	want, wantErr := plain.PutRecords(t.Context(), in, put.Once)
	got, gotErr := fast.PutRecords(t.Context(), in, put.Once)
	if (gotErr == nil) != (wantErr == nil) {
		t.Fatalf("%q: got error %v, want %v", answer, gotErr, wantErr)
	}
	if wantErr != nil {
		return
	}
	gotText, _ := json.Marshal([]any{got.Records, got.FailedRecordCount, got.EncryptionType})
	wantText, _ := json.Marshal([]any{want.Records, want.FailedRecordCount, want.EncryptionType})
	if !bytes.Equal(gotText, wantText) {
		t.Fatalf("%q: got %s, want %s", answer, gotText, wantText)
	}
}

func TestProtocol_Answers(t *testing.T) {
	e := newEcho(t)
	plain, fast := kinesis.NewFromConfig(e.config()), put.Dial(e.config(), 2)
	for _, answer := range answers() {
		check(t, e, plain, fast, answer)
	}
}

func FuzzProtocol_Answers(f *testing.F) {
	for _, answer := range answers() {
		f.Add(answer)
	}
	e := newEcho(f)
	plain, fast := kinesis.NewFromConfig(e.config()), put.Dial(e.config(), 2)
	f.Fuzz(func(t *testing.T, answer string) { check(t, e, plain, fast, answer) })
}
