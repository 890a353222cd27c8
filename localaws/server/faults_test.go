package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/server"
)

type countersAnswer struct {
	Calls []struct {
		Service, Operation, Client        string
		Calls, Errors, Throttles, Records int64
		Bytes                             int64
	}
}

func (c *countersAnswer) of(operation, client string) (calls, errs, throttles, records int64) {
	for _, x := range c.Calls {
		if x.Operation == operation && x.Client == client {
			return x.Calls, x.Errors, x.Throttles, x.Records
		}
	}
	return 0, 0, 0, 0
}

func addFault(t *testing.T, url, rule string) {
	t.Helper()
	if status := admin(t, http.MethodPost, url, "faults", rule, nil); status != http.StatusOK {
		t.Fatalf("fault %s: status %d", rule, status)
	}
}

// stored counts the records of the stream's one shard.
func stored(t *testing.T, c *kinesis.Client) int {
	t.Helper()
	it, err := c.GetShardIterator(t.Context(), &kinesis.GetShardIteratorInput{
		StreamName: aws.String("test"), ShardId: aws.String("shardId-000000000000"), ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.GetRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: it.ShardIterator})
	if err != nil {
		t.Fatal(err)
	}
	return len(out.Records)
}

func TestFaults_Kinds(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, rule string
		stored     int
		check      func(t *testing.T, err error)
	}{
		{"throttle", `{"operation":"PutRecord","kind":"throttle","count":1}`, 1, func(t *testing.T, err error) {
			wantCode(t, err, "ProvisionedThroughputExceededException")
		}},
		{"error", `{"service":"kinesis","kind":"error","operation":"PutRecord","count":1}`, 1, func(t *testing.T, err error) { wantCode(t, err, "InternalFailure") }},
		{"error with a code", `{"operation":"PutRecord","kind":"error","code":"LimitExceededException","status":400,"count":1}`, 1, func(t *testing.T, err error) {
			wantCode(t, err, "LimitExceededException")
		}},
		{"drop", `{"operation":"PutRecord","kind":"drop","count":1}`, 1, wantConnectionLost},
		{"lose_response", `{"operation":"PutRecord","kind":"lose_response","count":1}`, 2, wantConnectionLost},
		{"latency", `{"operation":"PutRecord","kind":"latency","latency_ms":30,"count":1}`, 2, wantNone},
		{"another client", `{"client":"you","kind":"drop"}`, 2, wantNone},
		{"another stream", `{"resource":"other","kind":"drop"}`, 2, wantNone},
		{"this stream", `{"resource":"test","operation":"PutRecord","kind":"drop","count":1}`, 1, wantConnectionLost},
		{"another service", `{"service":"dynamodb","kind":"drop"}`, 2, wantNone},
		{"partial", `{"operation":"PutRecord","kind":"partial","count":1}`, 1, func(t *testing.T, err error) {
			wantCode(t, err, "ProvisionedThroughputExceededException")
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			url := start(t, server.Options{})
			c := client(url, "me")
			createStream(t, c)
			addFault(t, url, tc.rule)
			tc.check(t, put(t, c, "test", "first"))
			if err := put(t, c, "test", "second"); err != nil {
				t.Errorf("the call after the fault: %v", err)
			}
			if got := stored(t, c); got != tc.stored {
				t.Errorf("%d records are stored, want %d", got, tc.stored)
			}
		})
	}
}

func wantNone(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("got error %v, want none", err)
	}
}

func wantConnectionLost(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, io.EOF) && (err == nil || !strings.Contains(err.Error(), "connection reset")) {
		t.Errorf("got error %v, want a lost connection", err)
	}
}

// struck waits until the one fault rule has been applied so many times.
func struck(t *testing.T, url string, times int) {
	t.Helper()
	var rules struct{ Faults []struct{ Hits int } }
	for deadline := time.Now().Add(patience); ; {
		admin(t, http.MethodGet, url, "faults", "", &rules)
		if len(rules.Faults) == 1 && rules.Faults[0].Hits >= times {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the rule was not applied %d times: %+v", times, rules)
		}
	}
}

// giveUp puts a record and goes away once the one fault rule holds the call up.
func giveUp(t *testing.T, url string, c *kinesis.Client) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := c.PutRecord(ctx, &kinesis.PutRecordInput{StreamName: aws.String("test"), PartitionKey: aws.String("k"), Data: []byte("x")})
		done <- err
	}()
	struck(t, url, 1)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want the client's own end", err)
	}
}

func TestFaults_StallUntilDeleted(t *testing.T) {
	t.Parallel()
	url := start(t, server.Options{})
	c := client(url, "me")
	createStream(t, c)
	addFault(t, url, `{"id":"s","operation":"PutRecord","kind":"stall"}`)
	giveUp(t, url, c)
	var counts countersAnswer
	for deadline := time.Now().Add(patience); ; { // until the server sees that the client has gone
		admin(t, http.MethodGet, url, "counters", "", &counts)
		if _, errs, _, _ := counts.of("PutRecord", "me"); errs == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the call was not given up: %+v", counts)
		}
	}
	done := make(chan error, 1)
	go func() { done <- put(t, c, "test", "y") }()
	struck(t, url, 2)
	admin(t, http.MethodDelete, url, "faults/s", "", nil)
	if err := <-done; err != nil {
		t.Errorf("the stalled call ended with %v, want success once the rule was gone", err)
	}
	if got := stored(t, c); got != 1 {
		t.Errorf("%d records are stored, want only that of the call that waited", got)
	}
}

// TestFaults_LateWrite lands a write that its client has given up.
func TestFaults_LateWrite(t *testing.T) {
	t.Parallel()
	url := start(t, server.Options{})
	c := client(url, "me")
	createStream(t, c)
	addFault(t, url, `{"id":"late","operation":"PutRecord","kind":"late","latency_ms":60000}`)
	giveUp(t, url, c)
	for range 20 { // the server sees that the client has gone, and must wait all the same
		if got := stored(t, c); got != 0 {
			t.Fatalf("%d records are stored before the time", got)
		}
	}
	admin(t, http.MethodDelete, url, "faults/late", "", nil)
	for deadline := time.Now().Add(patience); stored(t, c) == 0; {
		if time.Now().After(deadline) {
			t.Fatal("the write never landed")
		}
	}
}

// TestFaults_EmptyRead: a reader must not take an empty answer for the tip.
func TestFaults_EmptyRead(t *testing.T) {
	t.Parallel()
	url := start(t, server.Options{})
	c := client(url, "me")
	createStream(t, c)
	wantNone(t, put(t, c, "test", "x"))
	it, err := c.GetShardIterator(t.Context(), &kinesis.GetShardIteratorInput{
		StreamName: aws.String("test"), ShardId: aws.String("shardId-000000000000"), ShardIteratorType: types.ShardIteratorTypeTrimHorizon,
	})
	if err != nil {
		t.Fatal(err)
	}
	addFault(t, url, `{"operation":"GetRecords","kind":"empty","count":1}`)
	next := it.ShardIterator
	for _, want := range []int{0, 1} {
		out, err := c.GetRecords(t.Context(), &kinesis.GetRecordsInput{ShardIterator: next})
		if err != nil {
			t.Fatal(err)
		}
		if got, behind := len(out.Records), aws.ToInt64(out.MillisBehindLatest); got != want || behind > 0 != (want == 0) {
			t.Errorf("got %d records and %d ms behind, want %d", got, behind, want)
		}
		next = out.NextShardIterator
	}
}

func TestFaults_PartialRate(t *testing.T) {
	t.Parallel()
	url := start(t, server.Options{})
	c := client(url, "me")
	createStream(t, c)
	addFault(t, url, `{"operation":"PutRecords","kind":"partial","rate":0.5,"code":"InternalFailure"}`)
	var entries []types.PutRecordsRequestEntry
	for i := range 400 {
		entries = append(entries, types.PutRecordsRequestEntry{Data: fmt.Append(nil, i), PartitionKey: aws.String("k")})
	}
	out, err := c.PutRecords(t.Context(), &kinesis.PutRecordsInput{StreamName: aws.String("test"), Records: entries})
	if err != nil {
		t.Fatal(err)
	}
	lost := int(aws.ToInt32(out.FailedRecordCount))
	if lost < 100 || lost > 300 {
		t.Errorf("%d of 400 entries failed, want about 200", lost)
	}
	for _, r := range out.Records {
		if (r.SequenceNumber == nil) == (aws.ToString(r.ErrorCode) == "") {
			t.Fatalf("entry %+v is neither stored nor failed, or both", r)
		}
	}
	if got := stored(t, c); got != 400-lost {
		t.Errorf("%d records are stored, want %d", got, 400-lost)
	}
}

func TestAdmin_CountersAndReset(t *testing.T) {
	t.Parallel()
	url := start(t, server.Options{Version: "1.2.3"})
	me, you := client(url, "me"), client(url, "you")
	createStream(t, me)
	for range 3 {
		wantNone(t, put(t, me, "test", "x"))
	}
	wantCode(t, put(t, you, "missing", "x"), "ResourceNotFoundException")
	addFault(t, url, `{"client":"you","kind":"throttle"}`)
	wantCode(t, put(t, you, "test", "x"), "ProvisionedThroughputExceededException")

	var got countersAnswer
	admin(t, http.MethodGet, url, "counters", "", &got)
	if calls, errs, throttles, records := got.of("PutRecord", "me"); calls != 3 || errs != 0 || throttles != 0 || records != 3 {
		t.Errorf("me: %d calls, %d errors, %d throttles, %d records", calls, errs, throttles, records)
	}
	if calls, errs, throttles, records := got.of("PutRecord", "you"); calls != 2 || errs != 2 || throttles != 1 || records != 0 {
		t.Errorf("you: %d calls, %d errors, %d throttles, %d records", calls, errs, throttles, records)
	}
	var health map[string]string
	if status := admin(t, http.MethodGet, url, "health", "", &health); status != http.StatusOK || health["version"] != "1.2.3" {
		t.Errorf("health: %d %v", status, health)
	}
	admin(t, http.MethodDelete, url, "counters", "", &got)
	if len(got.Calls) != 0 {
		t.Errorf("after a reset of the counters: %+v", got)
	}
	admin(t, http.MethodPost, url, "reset", "", nil)
	wantCode(t, put(t, me, "test", "x"), "ResourceNotFoundException")
	createStream(t, you) // the fault is gone, too
}

func TestAdmin_BadRequests(t *testing.T) {
	t.Parallel()
	url := start(t, server.Options{})
	for _, tc := range []struct{ method, path, body string }{
		{http.MethodPost, "faults", `{"kind":"dance"}`},
		{http.MethodPost, "faults", `{"kind":"drop","rate":2}`},
		{http.MethodPost, "faults", `{"kind":"drop","operaton":"x"}`},
		{http.MethodPost, "faults", `{"kind":"latency"}`},
		{http.MethodPost, "faults", `{`},
		{http.MethodPut, "limits", `{"reads_per_second":0}`},
		{http.MethodPut, "limits", `{"unknown":1}`},
	} {
		var got map[string]string
		if status := admin(t, tc.method, url, tc.path, tc.body, &got); status != http.StatusBadRequest || got["error"] == "" {
			t.Errorf("%s %s: got %d %v, want 400 with an error", tc.path, tc.body, status, got)
		}
	}
	var limits map[string]any
	admin(t, http.MethodPut, url, "limits", `{"enforce":true,"reads_per_second":7}`, &limits)
	if limits["enforce"] != true || limits["reads_per_second"] != 7.0 || limits["records_per_second"] != 1000.0 {
		t.Errorf("limits are %v", limits)
	}
}
