package put_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/message"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/put"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/record"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/shards"
)

func records(n, size int) []record.Record {
	list := make([]record.Record, n)
	for i := range list {
		key := fmt.Sprint("key ", i)
		list[i] = record.Of(message.Message{Data: []byte(strings.Repeat("x", size)), Key: key}, shards.HashOf(key))
	}
	return list
}

func TestClient_Put(t *testing.T) {
	e := newEcho(t)
	e.answer = `{"FailedRecordCount":1,"Records":[{"ErrorCode":"InternalFailure","ErrorMessage":"x"},{"SequenceNumber":"1","ShardId":"shardId-000000000002"}]}`
	two := records(2, 3)
	two[1].Many = []message.Message{{Data: []byte("a"), Key: "k1"}, {Data: []byte("b"), Key: "k2"}}
	two[1].Hash = shards.HashOf("k1")
	got, err := put.New(put.Dial(e.config(), 1), "test").Put(t.Context(), two)
	if err != nil {
		t.Fatal(err)
	}
	if got[0].Code != "InternalFailure" || got[0].Shard != "" || got[1] != (record.Outcome{Shard: "shardId-000000000002"}) {
		t.Errorf("got %+v", got)
	}
	var body struct {
		StreamName string
		Records    []struct{ Data, PartitionKey, ExplicitHashKey string }
	}
	if err := json.Unmarshal(e.body, &body); err != nil {
		t.Fatal(err)
	}
	if body.StreamName != "test" || body.Records[0].Data != base64.StdEncoding.EncodeToString([]byte("xxx")) || body.Records[0].PartitionKey != "key 0" || body.Records[0].ExplicitHashKey != "" {
		t.Errorf("got %+v", body)
	}
	if body.Records[1].PartitionKey != "k1" || body.Records[1].ExplicitHashKey != shards.HashOf("k1").Decimal() {
		t.Errorf("got %+v, want the aggregate under its first key, with its hash key", body.Records[1])
	}
}

func TestClient_Put_errors(t *testing.T) {
	drop := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		panic(http.ErrAbortHandler)
	}))
	defer drop.Close()
	coded := func(status int, code string) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = fmt.Fprintf(w, `{"__type":"%s","message":"because"}`, code)
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	short := newEcho(t)
	for name, tc := range map[string]struct {
		url  string
		kind put.Kind
		code string
	}{
		"nobody listens":      {"http://127.0.0.1:1", put.NotSent, "ConnectFailed"},
		"connection dropped":  {drop.URL, put.Lost, "ConnectionLost"},
		"too few entries":     {short.URL, put.Lost, "BadAnswer"},
		"internal failure":    {coded(500, "InternalFailure"), put.Lost, "InternalFailure"},
		"throttled":           {coded(400, "com.amazonaws.kinesis#ProvisionedThroughputExceededException"), put.Throttled, "ProvisionedThroughputExceededException"},
		"key service limits":  {coded(400, "KMSThrottlingException"), put.Throttled, "KMSThrottlingException"},
		"credentials expired": {coded(400, "ExpiredTokenException"), put.Throttled, "ExpiredTokenException"},
		"refused":             {coded(400, "ValidationException"), put.Refused, "ValidationException"},
		"stream is gone":      {coded(400, "ResourceNotFoundException"), put.Fatal, "ResourceNotFoundException"},
		"no permission":       {coded(400, "AccessDeniedException"), put.Denied, "AccessDeniedException"},
		"key is disabled":     {coded(400, "KMSDisabledException"), put.Denied, "KMSDisabledException"},
	} {
		t.Run(name, func(t *testing.T) {
			wantFailure(t, putWithin(t, tc.url, patience), tc.kind, tc.code)
		})
	}
}

// TestClient_Put_once: a request goes out once, whatever became of it. Trying
// again, and what that may double, is the engine's to decide.
func TestClient_Put_once(t *testing.T) {
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		w.WriteHeader(http.StatusInternalServerError)
	}))
	defer server.Close()
	if err := putWithin(t, server.URL, patience); err == nil || requests.Load() != 1 {
		t.Errorf("got %d requests and %v, want one and an error", requests.Load(), err)
	}
}

// patience bounds a request that is to be answered.
const patience = time.Minute

// putWithin makes one request that may take so long.
func putWithin(t *testing.T, url string, limit time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	cfg := newEcho(t).config()
	cfg.BaseEndpoint = aws.String(url)
	_, err := put.New(put.Dial(cfg, 1), "test").Put(ctx, records(2, 10))
	return err
}

func wantFailure(t *testing.T, err error, kind put.Kind, code string) {
	t.Helper()
	var failure *put.Error
	if !errors.As(err, &failure) || failure.Kind != kind || failure.Code != code {
		t.Errorf("got %+v, want kind %d, code %s", err, kind, code)
	}
}

// TestClient_Put_timeout: a request that the service has, and does not answer in
// time, may have been executed.
func TestClient_Put_timeout(t *testing.T) {
	var arrived atomic.Bool
	hang := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		arrived.Store(true)
		<-r.Context().Done()
	}))
	defer hang.Close()
	var err error
	for limit := 50 * time.Millisecond; !arrived.Load() && limit < patience; limit *= 2 { // until it is long enough to get there
		err = putWithin(t, hang.URL, limit)
	}
	wantFailure(t, err, put.Lost, "Timeout")
}

// TestClient_Put_credentials: a request that was never signed was not sent, and
// what the service that gives credentials out has to say is not Kinesis's word.
func TestClient_Put_credentials(t *testing.T) {
	for name, provider := range map[string]aws.CredentialsProviderFunc{
		"none": func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{}, errors.New("exit status 1")
		},
		"refused by another service": func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{}, &smithy.GenericAPIError{Code: "AccessDenied", Message: "not authorized to perform sts:AssumeRole"}
		},
		"not in time": func(ctx context.Context) (aws.Credentials, error) {
			<-ctx.Done()
			return aws.Credentials{}, ctx.Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			e := newEcho(t)
			cfg := e.config()
			cfg.Credentials = provider
			_, err := put.New(put.Dial(cfg, 1), "test").Put(ctx, records(2, 10))
			var failure *put.Error
			if !errors.As(err, &failure) || failure.Kind != put.NotSent || failure.Code != "NoCredentials" || e.path != "" {
				t.Errorf("got %+v after request %q, want kind %d, NoCredentials, and no request", failure, e.path, put.NotSent)
			}
		})
	}
}

// TestDial_EarlyAnswers holds a server against the client that answers before
// net/http has finished with the body. No answer may be lost by the client, and
// bodies must not mix although their memory is used again.
func TestDial_EarlyAnswers(t *testing.T) {
	entry := `{"SequenceNumber":"1","ShardId":"` + strings.Repeat("s", 100) + `"}`
	answer := `{"Records":[` + strings.Repeat(entry+",", 499) + entry + `]}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := make([]byte, r.ContentLength)
		if _, err := io.ReadFull(r.Body, body); err != nil { // not to the end of file
			t.Errorf("read body: %v", err)
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(answer)))
		_, _ = io.WriteString(w, answer)
		if r.ContentLength%7 != 0 {
			return // looking at them all would give the client time
		}
		var in struct {
			Records []struct{ Data, PartitionKey string }
		}
		if err := json.Unmarshal(body, &in); err != nil {
			t.Errorf("got a body that is not JSON: %v", err)
		}
		for i, r := range in.Records {
			if r.PartitionKey != fmt.Sprint("key ", i) {
				t.Errorf("got key %q at %d", r.PartitionKey, i)
			}
		}
	}))
	defer server.Close()
	cfg := newEcho(t).config()
	cfg.BaseEndpoint = &server.URL
	client := put.New(put.Dial(cfg, 4), "test")
	results := make(chan error, 4)
	for range 4 {
		go func() {
			for i := range 15 {
				if _, err := client.Put(t.Context(), records(500, 1000+i*7%300)); err != nil {
					results <- err
					return
				}
			}
			results <- nil
		}()
	}
	for range 4 {
		if err := <-results; err != nil {
			t.Errorf("got %v, want every answer", err)
		}
	}
}
