package conformance_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/smithy-go"
)

// raw is a call without the SDK's serializer, which makes no mistakes.
type raw struct {
	endpoint, service, target, contentType string

	secret string        // "": the clients'
	ago    time.Duration // since it was signed
	change func(*http.Request)
}

// call sends a body. An answer that is an error comes as a smithy.APIError.
func (c raw) call(t *testing.T, body string) error {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.endpoint, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", c.target)
	r.Header.Set("Content-Type", c.contentType)
	credentials := aws.Credentials{AccessKeyID: "conformance", SecretAccessKey: c.secret}
	if c.secret == "" {
		credentials.SecretAccessKey = "secret"
	}
	digest := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(t.Context(), credentials, r, hex.EncodeToString(digest[:]), c.service, "us-east-1", time.Now().Add(-c.ago)); err != nil {
		t.Fatal(err)
	}
	if c.change != nil {
		c.change(r)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	return apiError(out)
}

// apiError finds the code of an error, in CBOR by its name's ending.
func apiError(body []byte) error {
	var e struct {
		Type string `json:"__type"`
	}
	if json.Unmarshal(body, &e) != nil {
		for _, code := range []string{"ValidationException", "SerializationException", "InvalidArgumentException"} {
			if bytes.Contains(body, []byte(code)) {
				e.Type = code
			}
		}
	}
	return &smithy.GenericAPIError{Code: e.Type[strings.LastIndex(e.Type, "#")+1:], Message: string(body)}
}

// TestKinesis_Names: a member whose name is in another case is none.
func TestKinesis_Names(t *testing.T) {
	t.Parallel()
	c := newKinesis(t)
	name := createStream(t, c, 1)
	it := iteratorOf(t, c, &kinesis.GetShardIteratorInput{StreamName: &name, ShardId: aws.String("shardId-000000000000"), ShardIteratorType: types.ShardIteratorTypeTrimHorizon})
	for encoding, form := range map[string]func(member string) string{
		"json-1.1": func(member string) string { return fmt.Sprintf(`{%q:%q}`, member, *it) },
		"cbor-1.1": func(member string) string {
			return "\xa1" + string(rune(0x60+len(member))) + member + "\x79" + string([]byte{byte(len(*it) >> 8), byte(len(*it))}) + *it
		},
	} {
		t.Run(encoding, func(t *testing.T) {
			call := raw{endpoint: *c.Options().BaseEndpoint, service: "kinesis", target: "Kinesis_20131202.GetRecords", contentType: "application/x-amz-" + encoding}
			if err := call.call(t, form("ShardIterator")); err != nil {
				t.Errorf("as it should be: %v", err)
			}
			err := call.call(t, form("sharditerator"))
			wantCode(t, err, "ValidationException", "SerializationException")
		})
	}
}

// TestKinesis_Text: what is not UTF-8, or names a member twice, is refused.
func TestKinesis_Text(t *testing.T) {
	t.Parallel()
	c := newKinesis(t)
	name := createStream(t, c, 1)
	call := raw{endpoint: *c.Options().BaseEndpoint, service: "kinesis", target: "Kinesis_20131202.PutRecord", contentType: "application/x-amz-json-1.1"}
	put := func(key string) error {
		err := call.call(t, `{"StreamName":"`+name+`","Data":"YQ==","PartitionKey":"`+key+`"}`)
		return err
	}
	wantStored(t, put(`é\ud83d\ude00`))
	for what, key := range map[string]string{"not UTF-8": "a\xff\xfe", "half a pair": `a\ud800`, "twice": `a","PartitionKey":"b`} {
		t.Run(what, func(t *testing.T) {
			if what != "twice" {
				knownFault(t, "kinesis-local", "stores another text")
			}
			wantCode(t, put(key), "SerializationException")
		})
	}
}

// TestDynamoDB_Names: a member whose name is in another case is none.
func TestDynamoDB_Names(t *testing.T) {
	t.Parallel()
	c := newDynamoDB(t)
	table := newTable(t, c, "")
	call := raw{endpoint: *c.Options().BaseEndpoint, service: "dynamodb", target: "DynamoDB_20120810.BatchWriteItem", contentType: "application/x-amz-json-1.0"}
	good := `{"RequestItems":{"` + table + `":[{"PutRequest":{"Item":{"id":{"S":"a"}}}}]}}`
	if err := call.call(t, good); err != nil {
		t.Errorf("as it should be: %v", err)
	}
	for _, member := range []string{"RequestItems", "PutRequest", "Item", "S"} {
		t.Run(member, func(t *testing.T) {
			err := call.call(t, strings.Replace(good, `"`+member+`"`, `"`+strings.ToLower(member)+`"`, 1))
			wantCode(t, err, "ValidationException", "SerializationException")
		})
	}
}

// TestDynamoDB_Text: what is not UTF-8, or names a member twice, is refused.
func TestDynamoDB_Text(t *testing.T) {
	t.Parallel()
	c := newDynamoDB(t)
	table := newTable(t, c, "")
	call := raw{endpoint: *c.Options().BaseEndpoint, service: "dynamodb", target: "DynamoDB_20120810.PutItem", contentType: "application/x-amz-json-1.0"}
	put := func(text string) error {
		err := call.call(t, `{"TableName":"`+table+`","Item":{"id":{"S":"a"},"text":{"S":"`+text+`"}}}`)
		return err
	}
	wantStored(t, put(`é\ud83d\ude00`))
	for what, text := range map[string]string{"not UTF-8": "a\xff\xfe", "half a pair": `a\ud800`, "twice": `a"},"text":{"S":"b`} {
		t.Run(what, func(t *testing.T) {
			knownFault(t, dynamoDBLocal, "answers status 500, or stores another text, or the last of two members")
			knownFault(t, dynalite, "stores another text, or the last of two members")
			wantCode(t, put(text), "SerializationException", "ValidationException")
		})
	}
}

// TestKinesis_Signature: a request is held against what was received.
func TestKinesis_Signature(t *testing.T) {
	t.Parallel()
	c := newKinesis(t)
	knownFault(t, "kinesis-local", "looks at no signature")
	good := raw{endpoint: *c.Options().BaseEndpoint, service: "kinesis", target: "Kinesis_20131202.ListStreams", contentType: "application/x-amz-json-1.1"}
	if err := good.call(t, `{"Limit":1}`); err != nil {
		t.Errorf("as it should be: %v", err)
	}
	for what, change := range map[string]func(*raw){
		"another secret":  func(r *raw) { r.secret = "another" },
		"another service": func(r *raw) { r.service = "dynamodb" },
		"too old":         func(r *raw) { r.ago = 5*time.Minute + 5*time.Second },
		"too new":         func(r *raw) { r.ago = -5*time.Minute - 5*time.Second },
		"another body": func(r *raw) {
			r.change = func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(`{"Limit":2}`)) }
		},
		"another target": func(r *raw) {
			r.change = func(r *http.Request) { r.Header.Set("X-Amz-Target", "Kinesis_20131202.DescribeLimits") }
		},
		"another date": func(r *raw) {
			r.change = func(r *http.Request) {
				r.Header.Set("X-Amz-Date", time.Now().UTC().Add(time.Second).Format("20060102T150405Z"))
			}
		},
		"another path":    func(r *raw) { r.change = func(r *http.Request) { r.URL.Path = "/elsewhere" } },
		"another query":   func(r *raw) { r.change = func(r *http.Request) { r.URL.RawQuery = "a=b" } },
		"header unsigned": func(r *raw) { r.change = func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "a") } },
	} {
		t.Run(what, func(t *testing.T) {
			bad := good
			change(&bad)
			err := bad.call(t, `{"Limit":1}`)
			wantCode(t, err, "InvalidSignatureException")
		})
	}
	old := good
	old.ago = 4 * time.Minute
	if err := old.call(t, `{"Limit":1}`); err != nil {
		t.Errorf("4 minutes old: %v", err)
	}
}
