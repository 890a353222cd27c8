package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/handler"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/awstest"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/store"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/term"
)

// dynamo is DynamoDB as an HTTP client: it remembers the sequence numbers in
// each call and answers 200 with what a test says.
type dynamo struct {
	answer func(n int, items []json.RawMessage) string // to the n-th call, from 0; empty: none ever

	mu    sync.Mutex
	calls [][]string
}

func (d *dynamo) Do(r *http.Request) (*http.Response, error) {
	var body struct {
		RequestItems map[string][]json.RawMessage
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return nil, err
	}
	items := body.RequestItems["messages"]
	var sequences []string
	for _, it := range items {
		var put struct {
			PutRequest struct {
				Item struct {
					Sequence struct{ S string } `json:"sequenceNumber"`
				}
			}
		}
		if err := json.Unmarshal(it, &put); err != nil {
			return nil, err
		}
		sequences = append(sequences, put.PutRequest.Item.Sequence.S)
	}
	d.mu.Lock()
	n := len(d.calls)
	d.calls = append(d.calls, sequences)
	d.mu.Unlock()
	answer := d.answer(n, items)
	if answer == "" {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, ContentLength: int64(len(answer)), Body: io.NopCloser(strings.NewReader(answer)), Request: r}, nil
}

// unprocessed is an answer that leaves these items over.
func unprocessed(items ...json.RawMessage) string {
	answer, _ := json.Marshal(map[string]any{"UnprocessedItems": map[string]any{"messages": items}})
	return string(answer)
}

// handle has a table with these answers handle five messages, and returns what
// it calls throttled.
func handle(ctx context.Context, d *dynamo) (throttled int, err error) {
	err = tableOf(d, func(n int) { throttled += n }).Handle(ctx, messages(5))
	return throttled, err
}

// tableOf returns a table behind an HTTP client.
func tableOf(client aws.HTTPClient, throttled func(items int)) *store.Table {
	return store.New(awstest.Config("http://dynamodb.test:8000", "writer", client), store.Options{Name: "messages", Throttled: throttled, Log: zerolog.Nop()})
}

// TestTable_UnprocessedForEver has a table that takes nothing and says so in
// good answers: it is asked more and more seldom, until the grant ends.
func TestTable_UnprocessedForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dynamo{answer: func(_ int, items []json.RawMessage) string { return unprocessed(items...) }}
		grant := term.New(context.Background(), time.Now().Add(time.Minute))
		begin := time.Now()
		throttled, err := handle(grant, d)
		var failed handler.Failed
		if !errors.As(err, &failed) || len(failed) != 5 || !errors.Is(failed[4], handler.ErrUnavailable) {
			t.Fatalf("got %v, want all 5 unavailable", err)
		}
		if took := time.Since(begin); took != time.Minute {
			t.Errorf("took %s, want it to end with the grant", took)
		}
		if n := len(d.calls); n < 20 || n > 70 || throttled != 5*n {
			t.Errorf("got %d calls and %d throttled items in a minute, want 20 to 70 with 5 each", n, throttled)
		}
	})
}

// TestTable_UnprocessedAlone writes again, once, what was left over.
func TestTable_UnprocessedAlone(t *testing.T) {
	for name, tc := range map[string]struct {
		answer func(n int, items []json.RawMessage) string // before all is taken
		want   [][]string                                  // calls after the first
	}{
		"two left": {func(_ int, items []json.RawMessage) string { return unprocessed(items[1], items[3]) }, [][]string{{"101", "103"}}},
		"none": {func(int, []json.RawMessage) string {
			return `{"UnprocessedItems":{"messages":[]}, "ConsumedCapacity":[]}`
		}, nil},
		"an unknown one": {func(_ int, items []json.RawMessage) string {
			return unprocessed(items[0], json.RawMessage(`{"PutRequest":{"Item":{"id":{"S":"x"}}}}`))
		}, [][]string{{"100", "101", "102", "103", "104"}}},
		"no sense": {func(int, []json.RawMessage) string { return `<html>` }, [][]string{{"100", "101", "102", "103", "104"}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &dynamo{answer: func(n int, items []json.RawMessage) string {
					if n == 0 {
						return tc.answer(n, items)
					}
					return "{}"
				}}
				if _, err := handle(context.Background(), d); err != nil {
					t.Fatal(err)
				}
				if got := d.calls[1:]; !slices.EqualFunc(got, tc.want, slices.Equal) {
					t.Errorf("got calls %v after the first, want %v", got, tc.want)
				}
			})
		})
	}
}

// TestTable_Hangs gives a call up that is not answered, though its grant is
// renewed all the time.
func TestTable_Hangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dynamo{answer: func(n int, _ []json.RawMessage) string {
			if n == 0 {
				return ""
			}
			return "{}"
		}}
		grant := term.New(context.Background(), time.Now().Add(6*time.Second))
		defer grant.End(errors.New("over"))
		for i := range 60 {
			time.AfterFunc(time.Duration(i)*time.Second, func() { grant.Extend(time.Now().Add(6 * time.Second)) })
		}
		begin := time.Now()
		if _, err := handle(grant, d); err != nil || len(d.calls) != 2 {
			t.Errorf("got %v after %d calls, want the second to do", err, len(d.calls))
		}
		if took := time.Since(begin); took > 11*time.Second {
			t.Errorf("took %s, want 10 s and a moment", took)
		}
	})
}
