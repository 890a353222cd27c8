package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/app"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/awstest"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/config"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/dynamo"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/settings"
)

// logs collects log lines and tells the address of the server.
type logs struct {
	mu      sync.Mutex
	text    bytes.Buffer
	address chan string
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(p)
	var line struct{ Message, Address string }
	if json.Unmarshal(p, &line) == nil && line.Message == "listening" {
		l.address <- line.Address
	}
	return len(p), nil
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// task is a leasekeeper in this process.
type task struct {
	t    *testing.T
	url  string
	log  *logs
	out  bytes.Buffer // standard output; read it after the end
	stop context.CancelFunc
	done chan error
}

func environment(t *testing.T, a *awstest.AWS) {
	t.Setenv("AWS_ENDPOINT_URL", a.Endpoint)
	t.Setenv("AWS_REGION", "eu-west-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "leasekeeper")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
}

func start(t *testing.T, change func(*config.Settings)) *task {
	t.Helper()
	var s config.Settings
	if err := settings.Load(config.Prefix, &s); err != nil {
		t.Fatal(err)
	}
	s.Listen, s.LeaseDuration = "127.0.0.1:0", 4*time.Second
	if change != nil {
		change(&s)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &task{t: t, log: &logs{address: make(chan string, 1)}, stop: cancel, done: make(chan error, 1)}
	go func() { r.done <- app.Run(ctx, &s, "test", &r.out, zerolog.New(r.log)) }()
	t.Cleanup(cancel)
	select {
	case address := <-r.log.address:
		r.url = "http://" + address
	case err := <-r.done:
		r.done <- err
	case <-time.After(10 * time.Second):
		t.Fatal("leasekeeper does not listen")
	}
	return r
}

func (r *task) wait() error {
	r.t.Helper()
	select {
	case err := <-r.done:
		return err
	case <-time.After(40 * time.Second):
		r.t.Fatalf("leasekeeper does not end:\n%s", r.log)
		return nil
	}
}

// reader is a consumer that reads nothing and drains at once.
type reader struct {
	mu    sync.Mutex
	holds map[string]int64
}

func (c *reader) run(ctx context.Context, r *task, uuid string) {
	request := contract.SyncRequest{Consumer: uuid, Version: "test", WaitMS: 1000}
	for ctx.Err() == nil {
		response, status, err := r.call(request)
		if err != nil || status != http.StatusOK {
			select {
			case <-ctx.Done():
			case <-time.After(20 * time.Millisecond):
			}
			continue
		}
		request.Worker, request.Revision = response.Worker, response.Revision
		granted := map[string]int64{}
		for _, g := range response.Grants {
			granted[g.Shard] = g.Generation
		}
		var next []contract.ShardReport
		for shard, generation := range granted {
			next = append(next, contract.ShardReport{Shard: shard, Generation: generation, State: contract.Reading})
		}
		c.mu.Lock()
		for shard, generation := range c.holds {
			if granted[shard] == 0 {
				next = append(next, contract.ShardReport{Shard: shard, Generation: generation, State: contract.Drained})
			}
		}
		c.holds = granted
		c.mu.Unlock()
		request.Shards = next
	}
}

func (r *task) call(request contract.SyncRequest) (contract.SyncResponse, int, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return contract.SyncResponse{}, 0, err
	}
	response, err := http.Post(r.url+"/v1/sync", "application/json", bytes.NewReader(body))
	if err != nil {
		return contract.SyncResponse{}, 0, err
	}
	defer func() { _ = response.Body.Close() }()
	var out contract.SyncResponse
	return out, response.StatusCode, json.NewDecoder(response.Body).Decode(&out)
}

func (c *reader) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.holds)
}

// eventually polls until done, with a deadline.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("does not happen: %s", what)
		}
		<-tick.C
	}
}

func attach(t *testing.T, r *task, uuid string) *reader {
	ctx, cancel := context.WithCancel(context.Background())
	c, done := &reader{}, make(chan struct{})
	go func() { defer close(done); c.run(ctx, r, uuid) }()
	t.Cleanup(func() { cancel(); <-done })
	return c
}

// A task starts on a host whose clock is an hour behind the service's.
func TestRun_ClockIsOff(t *testing.T) {
	a := awstest.Start(t)
	environment(t, a)
	a.Stream("test", 2)
	a.Table("leases", "leaseKey")
	a.Table("workers", "workerId")
	a.Limits(`{"clock_offset_ms":3600000}`)
	c := attach(t, start(t, nil), "one")
	eventually(t, "the task has every shard", func() bool { return c.count() == 2 })
}

// A task starts though calls of its start are never answered, or answered with a
// fault of the service that nobody knows.
func TestRun_StartsAfterFaults(t *testing.T) {
	a := awstest.Start(t)
	environment(t, a)
	a.Stream("test", 2)
	a.Table("leases", "leaseKey")
	a.Table("workers", "workerId")
	a.Fault(`{"operation":"DescribeStreamSummary","kind":"error","status":503,"code":"Unheard","count":1}`)
	a.Fault(`{"operation":"DescribeTable","kind":"stall","count":1}`)
	a.Fault(`{"operation":"Scan","kind":"stall","count":1}`)
	c := attach(t, start(t, nil), "one")
	eventually(t, "the task has every shard", func() bool { return c.count() == 2 })
}

// Two tasks share a stream out; one leaves and the other has everything.
func TestRun_TwoTasks(t *testing.T) {
	a := awstest.Start(t)
	environment(t, a)
	a.Stream("test", 4)
	a.Table("leases", "leaseKey")
	a.Table("workers", "workerId")
	one := start(t, nil)
	c1 := attach(t, one, "one")
	eventually(t, "the first task has every shard", func() bool { return c1.count() == 4 })
	two := start(t, func(s *config.Settings) { s.Metrics = config.MetricsEMF })
	c2 := attach(t, two, "two")
	eventually(t, "two shards each", func() bool { return c1.count() == 2 && c2.count() == 2 })
	if status := get(t, two.url+"/readyz"); status != "200 ready" {
		t.Errorf("readyz: got %q", status)
	}
	if status := get(t, one.url+"/healthz"); status != "200 live" {
		t.Errorf("healthz: got %q", status)
	}
	if text := get(t, one.url+"/metrics"); !strings.Contains(text, "leasekeeper_leases_held 2") {
		t.Errorf("metrics: got %s", text)
	}
	one.stop()
	if err := one.wait(); err != nil {
		t.Errorf("got %v, want a clean exit\n%s", err, one.log)
	}
	eventually(t, "the second task has every shard", func() bool { return c2.count() == 4 })
	two.stop()
	if err := two.wait(); err != nil {
		t.Errorf("got %v, want a clean exit\n%s", err, two.log)
	}
	if text := two.out.String(); !strings.Contains(text, `"Namespace":"KinesisLeasekeeper"`) || strings.Contains(text, `"leasekeeper_claims_total":0`) {
		t.Errorf("standard output: got %q, want the last metrics, with claims", text)
	}
	if one.out.Len() > 0 {
		t.Errorf("standard output: got %q without being asked for", &one.out)
	}
}

// Without metrics there are none.
func TestRun_NoMetrics(t *testing.T) {
	a := awstest.Start(t)
	environment(t, a)
	one := start(t, func(s *config.Settings) { s.Metrics = config.MetricsNone })
	if got := get(t, one.url+"/metrics"); !strings.HasPrefix(got, "404") {
		t.Errorf("metrics: got %q, want 404", got)
	}
	one.stop()
}

func get(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d %s", response.StatusCode, strings.TrimSpace(string(text)))
}

// What is missing is named in one line, with what to do.
func TestRun_Missing(t *testing.T) {
	a := awstest.Start(t)
	environment(t, a)
	fails := func(want string) {
		t.Helper()
		r := start(t, nil)
		err := r.wait()
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v, want one line with %q", err, want)
		}
	}
	fails("LEASEKEEPER_STREAM")
	a.Stream("test", 1)
	fails("LEASEKEEPER_LEASE_TABLE")
	a.Table("leases", "id")
	a.Table("workers", "workerId")
	fails("want the hash key leaseKey")
}

// The lease table of a KCL application with several streams is refused.
func TestRun_MultiStream(t *testing.T) {
	a := awstest.Start(t)
	environment(t, a)
	a.Stream("test", 1)
	a.Table("leases", "leaseKey")
	a.Table("workers", "workerId")
	_, err := a.DynamoDB("kcl").PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("leases"), Item: map[string]types.AttributeValue{
		"leaseKey": &types.AttributeValueMemberS{Value: "000000000000:test:1700000000:shardId-000000000000"}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := start(t, nil).wait(); !errors.Is(err, dynamo.ErrMultiStream) {
		t.Errorf("got %v, want %v", err, dynamo.ErrMultiStream)
	}
}

// Tables that belong to another stream are refused.
func TestRun_OtherStream(t *testing.T) {
	a := awstest.Start(t)
	environment(t, a)
	a.Stream("test", 1)
	a.Stream("other", 1)
	a.Table("leases", "leaseKey")
	a.Table("workers", "workerId")
	one := start(t, nil)
	c := attach(t, one, "one")
	eventually(t, "the shard is read", func() bool { return c.count() == 1 })
	two := start(t, func(s *config.Settings) { s.Stream = "other" })
	if err := two.wait(); err == nil || !strings.Contains(err.Error(), "belongs to stream") {
		t.Errorf("got %v, want a refusal", err)
	}
}
