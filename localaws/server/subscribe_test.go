package server_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/server"
)

type fanout struct {
	url      string
	c        *kinesis.Client
	consumer string
}

func newFanout(t *testing.T) *fanout {
	t.Helper()
	return fanoutAt(t, start(t, server.Options{}))
}

// fanoutAt registers a consumer of the stream test, which it makes if need be.
func fanoutAt(t *testing.T, url string) *fanout {
	t.Helper()
	f := &fanout{url: url, c: client(url, "me")}
	if _, err := f.c.DescribeStreamSummary(t.Context(), &kinesis.DescribeStreamSummaryInput{StreamName: aws.String("test")}); err != nil {
		createStream(t, f.c)
	}
	out, err := f.c.RegisterStreamConsumer(t.Context(), &kinesis.RegisterStreamConsumerInput{
		StreamARN: aws.String("arn:aws:kinesis:us-east-1:000000000000:stream/test"), ConsumerName: aws.String("c"),
	})
	if err != nil {
		t.Fatal(err)
	}
	f.consumer = *out.Consumer.ConsumerARN
	return f
}

func (f *fanout) tune(t *testing.T, limits string) {
	t.Helper()
	if status := admin(t, http.MethodPut, f.url, "limits", limits, nil); status != http.StatusOK {
		t.Fatalf("limits %s: status %d", limits, status)
	}
}

// subscribe uses a client of its own: in this version of the SDK the
// subscriptions of one client share a decoder without a lock.
func (f *fanout) subscribe(t *testing.T) (*kinesis.SubscribeToShardEventStream, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	out, err := client(f.url, "me").SubscribeToShard(ctx, &kinesis.SubscribeToShardInput{
		ConsumerARN: &f.consumer, ShardId: aws.String("shardId-000000000000"),
		StartingPosition: &types.StartingPosition{Type: types.ShardIteratorTypeLatest},
	})
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = out.GetStream().Close() })
	return out.GetStream(), nil
}

// events counts events until the stream ends, and returns the error it ended
// with.
func events(t *testing.T, s *kinesis.SubscribeToShardEventStream) (n int, err error) {
	t.Helper()
	for {
		select {
		case _, ok := <-s.Events():
			if !ok {
				return n, s.Err()
			}
			n++
		case <-time.After(patience):
			t.Fatal("the stream does not end")
		}
	}
}

// TestSubscribeToShard_TakeOver is refused up to five seconds after the first
// call, by a clock that stands still until it is moved.
func TestSubscribeToShard_TakeOver(t *testing.T) {
	t.Parallel()
	began := time.Now()
	f := fanoutAt(t, start(t, server.Options{Now: func() time.Time { return began }}))
	first, err := f.subscribe(t)
	if err != nil {
		t.Fatal(err)
	}
	f.tune(t, `{"clock_offset_ms":4999}`)
	_, err = f.subscribe(t)
	wantCode(t, err, "ResourceInUseException")
	f.tune(t, `{"clock_offset_ms":5000}`)
	if _, err := f.subscribe(t); err != nil {
		t.Errorf("subscribe after 5 s: %v", err)
	}
	_, err = events(t, first)
	wantCode(t, err, "ResourceInUseException")
}

func TestSubscribeToShard_Beats(t *testing.T) {
	t.Parallel()
	f := newFanout(t)
	f.tune(t, `{"heartbeat_ms":20}`)
	s, err := f.subscribe(t)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		if _, alive := <-s.Events(); !alive {
			t.Fatalf("an idle subscription ended after %d events with %v, want it to go on", n, s.Err())
		}
	}
}

func TestSubscribeToShard_Ends(t *testing.T) {
	t.Parallel()
	f := newFanout(t)
	f.tune(t, `{"subscription_ms":50}`)
	s, err := f.subscribe(t)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := events(t, s); err != nil {
		t.Errorf("a subscription whose time is up ended with %v, want no error", err)
	}
}

// TestServer_ShutdownEndsStreams: an open subscription and a stalled call do not
// hold up a stop.
func TestServer_ShutdownEndsStreams(t *testing.T) {
	t.Parallel()
	s := server.New(server.Options{})
	url, err := s.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := fanoutAt(t, url)
	subscription, err := f.subscribe(t)
	if err != nil {
		t.Fatal(err)
	}
	addFault(t, url, `{"operation":"PutRecord","kind":"stall"}`)
	stalled := make(chan error, 1)
	go func() { stalled <- put(t, f.c, "test", "x") }()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Errorf("shut down: %v", err)
	}
	if _, err := events(t, subscription); err != nil {
		t.Errorf("the subscription ended with %v", err)
	}
	if err := <-stalled; err == nil {
		t.Error("the stalled call succeeded")
	}
}

func TestServer_HTTP2(t *testing.T) {
	t.Parallel()
	url := start(t, server.Options{})
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	h2 := &http.Client{Transport: &http.Transport{Protocols: &protocols}}
	c := kinesis.New(client(url, "me").Options(), func(o *kinesis.Options) { o.HTTPClient = h2 })
	createStream(t, c)
	wantNone(t, put(t, c, "test", "x"))
	f := fanoutAt(t, url)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out, err := c.SubscribeToShard(ctx, &kinesis.SubscribeToShardInput{
		ConsumerARN: &f.consumer, ShardId: aws.String("shardId-000000000000"),
		StartingPosition: &types.StartingPosition{Type: types.ShardIteratorTypeTrimHorizon},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.GetStream().Close() }()
	if _, ok := <-out.GetStream().Events(); !ok {
		t.Errorf("no event over HTTP/2: %v", out.GetStream().Err())
	}
}

func TestSubscribeToShard_DeletedStream(t *testing.T) {
	t.Parallel()
	f := newFanout(t)
	s, err := f.subscribe(t)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.c.DeleteStream(t.Context(), &kinesis.DeleteStreamInput{StreamName: aws.String("test"), EnforceConsumerDeletion: aws.Bool(true)}); err != nil {
		t.Fatal(err)
	}
	if _, err := events(t, s); err != nil {
		t.Errorf("the subscription to a deleted stream ended with %v", err)
	}
}

func TestSubscribeToShard_EventFaults(t *testing.T) {
	t.Parallel()
	f := newFanout(t)
	addFault(t, f.url, `{"operation":"SubscribeToShardEvent","resource":"test","shard":"shardId-000000000000","kind":"error","code":"InternalFailureException"}`)
	s, err := f.subscribe(t)
	if err != nil {
		t.Fatal(err)
	}
	n, err := events(t, s)
	if n != 0 {
		t.Errorf("got %d events, want the fault in place of the first", n)
	}
	wantCode(t, err, "InternalFailureException")
	admin(t, http.MethodDelete, f.url, "faults", "", nil)
	addFault(t, f.url, `{"operation":"SubscribeToShardEvent","shard":"shardId-000000000001","kind":"drop"}`)
	f.tune(t, `{"takeover_ms":0}`)
	if s, err = f.subscribe(t); err != nil {
		t.Fatal(err)
	}
	if _, alive := <-s.Events(); !alive {
		t.Errorf("a fault of another shard struck: %v", s.Err())
	}
}

// TestSubscribeToShard_Paced: with a byte a second, what follows a record of 50
// bytes has to wait.
func TestSubscribeToShard_Paced(t *testing.T) {
	t.Parallel()
	f := newFanout(t)
	f.tune(t, `{"enforce":true,"read_bytes_per_second":1}`)
	s, err := f.subscribe(t)
	if err != nil {
		t.Fatal(err)
	}
	wantNone(t, put(t, f.c, "test", strings.Repeat("x", 50)))
	for records := 0; records == 0; {
		select {
		case e := <-s.Events():
			member, ok := e.(*types.SubscribeToShardEventStreamMemberSubscribeToShardEvent)
			if !ok {
				t.Fatalf("unexpected event %T", e)
			}
			records = len(member.Value.Records)
		case <-time.After(patience):
			t.Fatal("no record")
		}
	}
	wantNone(t, put(t, f.c, "test", "y"))
	select {
	case e := <-s.Events():
		t.Errorf("got event %+v above the rate", e)
	case <-time.After(200 * time.Millisecond):
	}
}

// TestSubscribeToShard_QuietDeath leaves a subscription open without a word: what
// a reader's watchdog is for.
func TestSubscribeToShard_QuietDeath(t *testing.T) {
	t.Parallel()
	f := newFanout(t)
	f.tune(t, `{"heartbeat_ms":10}`)
	s, err := f.subscribe(t)
	if err != nil {
		t.Fatal(err)
	}
	<-s.Events()
	addFault(t, f.url, `{"id":"quiet","operation":"SubscribeToShardEvent","kind":"stall"}`)
	struck(t, f.url, 1)
	waitQuiet(t, s)
	admin(t, http.MethodDelete, f.url, "faults?id=quiet", "", nil)
	select {
	case <-s.Events():
	case <-time.After(patience):
		t.Error("no event after the fault was deleted")
	}
}

// waitQuiet reads what was sent before the stall, until no event comes for ten
// heartbeats.
func waitQuiet(t *testing.T, s *kinesis.SubscribeToShardEventStream) {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case <-s.Events():
		case <-deadline:
			t.Fatal("a stalled subscription sends events")
		case <-time.After(100 * time.Millisecond):
			return
		}
	}
}
