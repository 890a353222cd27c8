package kinesis_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/awstest"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/budget"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/kinesis"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/reader"
)

var localaws string

func TestMain(m *testing.M) { os.Exit(awstest.Main(m, &localaws)) }

// sink is a reader.Sink that collects payloads, and an Observer that counts.
type sink struct {
	mu         sync.Mutex
	data       []string
	held       []func()
	keep       bool // does not release
	throttled  int
	failed     int
	readsEmpty int
}

func (s *sink) Accept(_ context.Context, b *reader.Batch, release func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range b.Records {
		s.data = append(s.data, string(r.Data))
	}
	if s.keep {
		s.held = append(s.held, release)
	} else {
		release()
	}
	return nil
}

func (s *sink) Read(records int, _, _ int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if records == 0 {
		s.readsEmpty++
	}
}

func (s *sink) Throttled()         { s.mu.Lock(); s.throttled++; s.mu.Unlock() }
func (s *sink) ReadFailed()        { s.mu.Lock(); s.failed++; s.mu.Unlock() }
func (s *sink) CheckpointTrimmed() {}

func (s *sink) got() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.data)
}

func (s *sink) count() int { return len(s.got()) }

type runner interface {
	Run(ctx context.Context, g contract.Grant, sink reader.Sink) ([]contract.ChildShard, error)
}

// bench is a stream with one shard that is being read.
type bench struct {
	aws      *awstest.Server
	sink     *sink
	ended    chan struct{}
	children []contract.ChildShard
	err      error
	stop     context.CancelFunc
}

// modes are the ways to read; each test of this file runs in all of them.
func modes(t *testing.T, test func(t *testing.T, mode string)) {
	for _, mode := range []string{"polling", "fanout"} {
		t.Run(mode, func(t *testing.T) { test(t, mode) })
	}
}

func newReader(mode string, aws *awstest.Server, s *sink) runner {
	polling := &reader.Polling{
		Source: kinesis.New(aws.Config("reader"), zerolog.Nop()), Budget: budget.New(64 << 20), Observer: s, Log: zerolog.Nop(),
		Pace: reader.Pace{CallsPerSecond: 50, MaxWait: 50 * time.Millisecond},
	}
	if mode == "polling" {
		return polling
	}
	f := reader.NewFanout(kinesis.NewSubscriber(aws.Config("reader"), "", "app", zerolog.Nop()), polling)
	f.Silence, f.GiveUp, f.Fallback = time.Second, 4, time.Second
	return f
}

func read(t *testing.T, mode string, aws *awstest.Server, start contract.Start) *bench {
	t.Helper()
	b := &bench{aws: aws, sink: &sink{}, ended: make(chan struct{})}
	ctx, stop := context.WithCancel(context.Background())
	b.stop = stop
	g := contract.Grant{Stream: "test", Shard: aws.Shards("test")[0], Start: start}
	r := newReader(mode, aws, b.sink)
	go func() {
		b.children, b.err = r.Run(ctx, g, b.sink)
		close(b.ended)
	}()
	t.Cleanup(func() {
		stop()
		<-b.ended
	})
	return b
}

func arrange(t *testing.T) *awstest.Server {
	aws := awstest.Start(t, localaws)
	aws.Limits(`{"enforce":false,"takeover_ms":200,"heartbeat_ms":200}`)
	aws.Stream("test", 1)
	return aws
}

func put(aws *awstest.Server, from, to int) {
	var entries []types.PutRecordsRequestEntry
	for i := from; i < to; i++ {
		entries = append(entries, awstest.Entry(fmt.Sprint("key ", i), fmt.Sprint("data ", i)))
	}
	aws.Put("test", entries...)
}

// want waits until the first n messages, and no others, were read in order.
func (b *bench) want(t *testing.T, n int) {
	t.Helper()
	awstest.Eventually(t, fmt.Sprint(n, " messages"), func() bool { return b.sink.count() >= n })
	for i, d := range b.sink.got() {
		if d != fmt.Sprint("data ", i) || i >= n {
			t.Fatalf("got %q as number %d of %d wanted", d, i, n)
		}
	}
}

var horizon = contract.Start{Type: contract.TrimHorizon}

func TestReading_Order(t *testing.T) {
	modes(t, func(t *testing.T, mode string) {
		aws := arrange(t)
		put(aws, 0, 1500)
		b := read(t, mode, aws, horizon)
		b.want(t, 1500)
		put(aws, 1500, 1600)
		b.want(t, 1600)
		if n := aws.Errors("GetRecords"); n > 0 {
			t.Errorf("%d reads were answered with an error", n)
		}
	})
}

// TestReading_Faults reads on under faults that come and go.
func TestReading_Faults(t *testing.T) {
	modes(t, func(t *testing.T, mode string) {
		aws := arrange(t)
		b := read(t, mode, aws, horizon)
		for _, operation := range []string{"GetRecords", "GetShardIterator", "SubscribeToShard", "SubscribeToShardEvent", "RegisterStreamConsumer"} {
			for _, kind := range []string{"throttle", "drop", "lose_response", "error"} {
				if operation == "SubscribeToShardEvent" && kind == "throttle" {
					continue // an event of an exception, which error makes too
				}
				aws.Fault(fmt.Sprintf(`{"service":"kinesis","client":"reader","operation":%q,"kind":%q,"rate":0.4,"count":6}`, operation, kind))
			}
		}
		aws.Fault(`{"service":"kinesis","client":"reader","operation":"GetRecords","kind":"empty","rate":0.4}`)
		for i := range 10 {
			put(aws, i*20, (i+1)*20)
			b.want(t, (i+1)*20)
		}
	})
}

func TestReading_ExpiredIterators(t *testing.T) {
	aws := arrange(t)
	b := read(t, "polling", aws, horizon)
	put(aws, 0, 50)
	b.want(t, 50)
	aws.Fault(`{"service":"kinesis","operation":"GetRecords","kind":"error","code":"ExpiredIteratorException","status":400,"count":3}`)
	put(aws, 50, 100)
	b.want(t, 100)
}

// TestReading_SilentSubscription has subscriptions that stop sending and stay
// open.
func TestReading_SilentSubscription(t *testing.T) {
	aws := arrange(t)
	put(aws, 0, 10)
	b := read(t, "fanout", aws, horizon)
	b.want(t, 10)
	aws.Fault(`{"id":"silence","service":"kinesis","operation":"SubscribeToShardEvent","kind":"stall","count":1}`)
	put(aws, 10, 20)
	b.want(t, 20)
}

// TestReading_SideBySide has subscriptions of several shards at work at a time,
// for the race detector.
func TestReading_SideBySide(t *testing.T) {
	aws := awstest.Start(t, localaws)
	aws.Stream("test", 4)
	put(aws, 0, 1000)
	s := &sink{}
	r := newReader("fanout", aws, s)
	ctx, stop := context.WithCancel(context.Background())
	var readers sync.WaitGroup
	for _, shard := range aws.Shards("test") {
		readers.Go(func() { _, _ = r.Run(ctx, contract.Grant{Stream: "test", Shard: shard, Start: horizon}, s) })
	}
	awstest.Eventually(t, "1000 messages", func() bool { return s.count() == 1000 })
	stop()
	readers.Wait()
}

// TestReading_SubscriptionEnds has subscriptions last a moment.
func TestReading_SubscriptionEnds(t *testing.T) {
	aws := arrange(t)
	aws.Limits(`{"subscription_ms":50}`)
	b := read(t, "fanout", aws, horizon)
	n := 0
	awstest.Eventually(t, "five subscriptions", func() bool {
		put(aws, n, n+5)
		n += 5
		b.want(t, n)
		return calls(aws, "SubscribeToShard") >= 5
	})
}

// TestReading_FallsBack has no subscriptions at all for a while.
func TestReading_FallsBack(t *testing.T) {
	aws := arrange(t)
	aws.Fault(`{"id":"refused","service":"kinesis","operation":"SubscribeToShard","kind":"error","code":"LimitExceededException","status":400}`)
	b := read(t, "fanout", aws, horizon)
	put(aws, 0, 100)
	b.want(t, 100)
	aws.NoFaults()
	put(aws, 100, 200)
	b.want(t, 200)
	awstest.Eventually(t, "subscribed again", func() bool { return calls(aws, "SubscribeToShard") > 0 })
	put(aws, 200, 250)
	b.want(t, 250)
}

func TestReading_ShardEnd(t *testing.T) {
	modes(t, func(t *testing.T, mode string) {
		aws := arrange(t)
		put(aws, 0, 100)
		b := read(t, mode, aws, horizon)
		b.want(t, 100)
		_, err := aws.Kinesis().SplitShard(context.Background(), &sdk.SplitShardInput{
			StreamName: ptr("test"), ShardToSplit: ptr(aws.Shards("test")[0]), NewStartingHashKey: ptr("170141183460469231731687303715884105728"),
		})
		if err != nil {
			t.Fatal(err)
		}
		select {
		case <-b.ended:
		case <-time.After(time.Minute):
			t.Fatal("the shard's end is not seen")
		}
		if b.err != nil || len(b.children) != 2 || b.children[0].Parents[0] != aws.Shards("test")[0] || b.children[0].HashKeyRange == nil {
			t.Fatalf("got children %+v, error %v, want two", b.children, b.err)
		}
	})
}

// TestReading_Gone deletes the stream: after some tries that counts as ended.
func TestReading_Gone(t *testing.T) {
	modes(t, func(t *testing.T, mode string) {
		aws := arrange(t)
		b := read(t, mode, aws, horizon)
		put(aws, 0, 10)
		b.want(t, 10)
		if _, err := aws.Kinesis().DeleteStream(context.Background(), &sdk.DeleteStreamInput{StreamName: ptr("test"), EnforceConsumerDeletion: ptr(true)}); err != nil {
			t.Fatal(err)
		}
		select {
		case <-b.ended:
		case <-time.After(time.Minute):
			t.Fatal("the shard's absence is not seen")
		}
		if b.err != nil || len(b.children) != 0 {
			t.Fatalf("got children %+v, error %v, want neither", b.children, b.err)
		}
	})
}

func TestReading_Stop(t *testing.T) {
	modes(t, func(t *testing.T, mode string) {
		aws := arrange(t)
		aws.Limits(`{"heartbeat_ms":60000}`)
		b := read(t, mode, aws, horizon)
		put(aws, 0, 10)
		b.want(t, 10)
		begin := time.Now()
		b.stop()
		<-b.ended
		if took := time.Since(begin); took > 5*time.Second || b.err == nil {
			t.Fatalf("took %s to stop, error %v", took, b.err)
		}
	})
}

// TestReading_StartPositions resumes at, not after, a sequence number.
func TestReading_StartPositions(t *testing.T) {
	modes(t, func(t *testing.T, mode string) {
		aws := arrange(t)
		put(aws, 0, 1)
		out, err := aws.Kinesis().PutRecord(context.Background(), &sdk.PutRecordInput{StreamName: ptr("test"), PartitionKey: ptr("k"), Data: []byte("here")})
		if err != nil {
			t.Fatal(err)
		}
		put(aws, 2, 3)
		b := read(t, mode, aws, contract.Start{Type: contract.AtSequenceNumber, Sequence: *out.SequenceNumber})
		awstest.Eventually(t, "two messages", func() bool { return b.sink.count() == 2 })
		if got := strings.Join(b.sink.got(), ","); got != "here,data 2" {
			t.Fatalf("got %q", got)
		}
		late := read(t, mode, aws, contract.Start{Type: contract.AtTimestamp, TimestampMS: time.Now().Add(-time.Hour).UnixMilli()})
		awstest.Eventually(t, "three messages", func() bool { return late.sink.count() == 3 })
	})
}

// TestReading_Limits stays within the service's limits: nothing is throttled.
func TestReading_Limits(t *testing.T) {
	aws := arrange(t)
	aws.Limits(`{"enforce":true}`)
	s := &sink{}
	p := &reader.Polling{
		Source: kinesis.New(aws.Config("reader"), zerolog.Nop()), Budget: budget.New(64 << 20), Observer: s, Log: zerolog.Nop(),
		Pace: reader.Pace{CallsPerSecond: 4, BytesPerSecond: 2 << 20, MaxWait: time.Second},
	}
	big := strings.Repeat("x", 100<<10)
	aws.Put("test", awstest.Entry("a", big), awstest.Entry("b", big), awstest.Entry("c", big))
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	_, _ = p.Run(ctx, contract.Grant{Stream: "test", Shard: aws.Shards("test")[0], Start: horizon}, s)
	if s.throttled != 0 || s.count() != 3 {
		t.Fatalf("got %d throttled and %d messages, want 0 and 3", s.throttled, s.count())
	}
	if s.readsEmpty > 8 {
		t.Errorf("got %d empty reads in 3 s, want them to become rarer", s.readsEmpty)
	}
}

// calls returns how many calls of an operation succeeded.
func calls(aws *awstest.Server, operation string) (n int) {
	for _, c := range aws.Counters().Calls {
		if c.Operation == operation && c.Client == "reader" {
			n += c.Calls - c.Errors
		}
	}
	return n
}

func ptr[T any](v T) *T { return &v }
