package tap_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/fxamacker/cbor/v2"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/tap"
)

// fakeKinesis hands out one record a call and closes the connection of a client
// named "unlucky".
func fakeKinesis(t *testing.T) *httptest.Server {
	calls := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Authorization"), "unlucky") {
			panic(http.ErrAbortHandler)
		}
		calls++
		switch r.Header.Get("X-Amz-Target") {
		case "Kinesis_20131202.GetShardIterator":
			_, _ = fmt.Fprintf(w, `{"ShardIterator":"it-%d"}`, calls)
		case "Kinesis_20131202.GetRecords":
			_, _ = fmt.Fprintf(w, `{"NextShardIterator":"it-%d","Records":[{"Data":""}]}`, calls)
		default:
			_, _ = io.WriteString(w, `{}`)
		}
	}))
	t.Cleanup(server.Close)
	return server
}

func call(ctx context.Context, url, client, operation string, in map[string]string) (map[string]any, error) {
	body, err := post(ctx, url, client, operation, in)
	if err != nil {
		return nil, err
	}
	var out map[string]any
	return out, json.Unmarshal(body, &out)
}

func post(ctx context.Context, url, client, operation string, in map[string]string) ([]byte, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(string(body)))
	if err != nil {
		return nil, err
	}
	req.Header.Set("X-Amz-Target", "Kinesis_20131202."+operation)
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+client+"/20260101/eu-west-1/kinesis/aws4_request")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	return io.ReadAll(resp.Body)
}

func read(t *testing.T, url, client, shard string, times int) {
	t.Helper()
	out, err := call(t.Context(), url, client, "GetShardIterator", map[string]string{"ShardId": shard})
	if err != nil {
		t.Fatal(err)
	}
	iterator := out["ShardIterator"].(string)
	for range times {
		if out, err = call(t.Context(), url, client, "GetRecords", map[string]string{"ShardIterator": iterator}); err != nil {
			t.Fatal(err)
		}
		iterator = out["NextShardIterator"].(string)
	}
}

func TestTap(t *testing.T) {
	proxy, err := tap.Start(t.Context(), fakeKinesis(t).URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	read(t, proxy.URL, "task1-consumer", "a", 3)
	moment := time.Now()
	read(t, proxy.URL, "task1-consumer", "b", 1)
	read(t, proxy.URL, "task2-consumer", "a", 2)

	if got := proxy.Delivered(); got["a"] != 5 || got["b"] != 1 {
		t.Errorf("got %v delivered, want a 5, b 1", got)
	}
	if got := proxy.LastReads()["a"].Client; got != "task2-consumer" {
		t.Errorf("got last reader %q, want task2-consumer", got)
	}
	if got := proxy.FirstReads()["a"].Client; got != "task1-consumer" {
		t.Errorf("got first reader %q, want task1-consumer", got)
	}
	taken := proxy.Takeovers(moment, "task1-", []string{"a", "b"})
	if len(taken) != 1 || taken["a"].By != "task2-consumer" || taken["a"].After <= 0 {
		t.Errorf("got takeovers %v, want a by task2-consumer", taken)
	}
	handoffs := proxy.Handoffs(time.Time{})
	if len(handoffs) != 1 || handoffs[0].Shard != "a" || handoffs[0].Gap <= 0 {
		t.Errorf("got handoffs %v, want one of a", handoffs)
	}
	until := time.Now().Add(time.Hour)
	if got := proxy.LongestGap(moment, until, []string{"a", "c"}); got["a"] < time.Hour || got["c"] < time.Hour {
		t.Errorf("got gaps %v, want the time up to the end to count", got)
	}
}

func TestTap_DroppedConnection(t *testing.T) {
	proxy, err := tap.Start(t.Context(), fakeKinesis(t).URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	_, err = call(t.Context(), proxy.URL, "unlucky", "GetRecords", nil)
	if !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want a dropped connection", err)
	}
}

func TestTap_Alternations(t *testing.T) {
	proxy, err := tap.Start(t.Context(), fakeKinesis(t).URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	read(t, proxy.URL, "task1-consumer", "a", 2)
	read(t, proxy.URL, "task2-consumer", "a", 2)
	if got := proxy.Alternations(time.Hour); len(got) != 0 {
		t.Errorf("got %v after one handoff, want none", got)
	}
	read(t, proxy.URL, "task1-consumer", "a", 1)
	if got := proxy.Alternations(time.Hour); len(got) != 0 {
		t.Errorf("got %v after a lease came back, want none", got)
	}
	read(t, proxy.URL, "task2-consumer", "a", 1)
	if got := proxy.Alternations(time.Hour); len(got) != 1 {
		t.Errorf("got %v of two readers in turns, want one", got)
	}
	if got := proxy.Alternations(0); len(got) != 0 {
		t.Errorf("got %v with nothing short enough, want none", got)
	}
}

// TestTap_CBOR reads as the Java SDK does.
func TestTap_CBOR(t *testing.T) {
	answers := map[string]any{
		"GetShardIterator": map[string]any{"ShardIterator": "it-1"},
		"GetRecords":       map[string]any{"NextShardIterator": "it-2", "Records": []map[string]any{{"Data": []byte{1}}, {"Data": []byte{2}}}},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		w.Header().Set("Content-Type", "application/x-amz-cbor-1.1")
		_ = cbor.NewEncoder(w).Encode(answers[operation])
	}))
	t.Cleanup(server.Close)
	proxy, err := tap.Start(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	for _, c := range []struct{ operation, key, value string }{{"GetShardIterator", "ShardId", "a"}, {"GetRecords", "ShardIterator", "it-1"}} {
		body, err := cbor.Marshal(map[string]string{c.key: c.value})
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, proxy.URL, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-amz-cbor-1.1")
		req.Header.Set("X-Amz-Target", "Kinesis_20131202."+c.operation)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	if got := proxy.Delivered()["a"]; got != 2 {
		t.Errorf("got %d records delivered, want 2", got)
	}
}

// TestTap_Subscription: each event of a subscription is a read, wherever the
// bytes are cut.
func TestTap_Subscription(t *testing.T) {
	var answer bytes.Buffer
	for _, event := range []struct{ kind, payload string }{
		{"initial-response", `{}`},
		{"SubscribeToShardEvent", `{"Records":[{"Data":""},{"Data":""}],"ContinuationSequenceNumber":"7"}`},
		{"InternalFailureException", `{"message":"an exception is no read"}`},
		{"SubscribeToShardEvent", `{"Records":[{"Data":""}],"ChildShards":[{}]}`},
	} {
		message := eventstream.Message{Payload: []byte(event.payload)}
		message.Headers.Set(":event-type", eventstream.StringValue(event.kind))
		message.Headers.Set(":content-type", eventstream.StringValue("application/json"))
		if err := eventstream.NewEncoder().Encode(&answer, message); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for part := range slices.Chunk(answer.Bytes(), answer.Len()/7) {
			_, _ = w.Write(part)
			_ = http.NewResponseController(w).Flush()
		}
	}))
	t.Cleanup(server.Close)
	proxy, err := tap.Start(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	got, err := post(t.Context(), proxy.URL, "task1-consumer", "SubscribeToShard", map[string]string{"ShardId": "a"})
	if err != nil || !bytes.Equal(got, answer.Bytes()) {
		t.Errorf("got %q, %v, want the events as they are", got, err)
	}
	reads := proxy.Reads(time.Time{})
	records, failed := 0, 0
	for _, r := range reads {
		records += r.Records
		if !r.OK {
			failed++
		}
	}
	if len(reads) != 4 || records != 3 || failed != 1 {
		t.Errorf("got %d records in %d reads, %d of them failed, want 3 in 4, 1 of them: %+v", records, len(reads), failed, reads)
	}
	if got := proxy.FirstReads()["a"]; got.Client != "task1-consumer" || got.Records != 0 || got.Ended {
		t.Errorf("got first read %+v, want the beginning", got)
	}
	if got := proxy.Ends()["a"]; got.Records != 1 {
		t.Errorf("got end %+v, want that with one record", got)
	}
}
