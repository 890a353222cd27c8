package compat_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/awslocal"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/build"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/proc"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/verify"
)

const (
	recording = "testdata/v1.jsonl"
	shards    = 3
	messages  = 300
	patience  = 30 * time.Second
)

var update = flag.Bool("update", false, "record "+recording+" anew")

var built = sync.OnceValues(func() (build.Binaries, error) { return build.All(context.Background(), build.Options{}) })

// fleet is one localaws, and what is started on it.
type fleet struct {
	t      *testing.T
	ctx    context.Context
	dir    string
	head   build.Binaries
	server *awslocal.Server
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	head, err := built()
	if errors.Is(err, build.ErrNoSource) {
		t.Skip("a binary has no source yet: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	f := &fleet{t: t, ctx: ctx, dir: t.TempDir(), head: head}
	if f.server, err = awslocal.Start(ctx, head.LocalAWS, f.dir, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.server.Stop)
	if err := f.server.CreateAll(ctx, shards); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fleet) start(name, path string, env ...string) *proc.Process {
	f.t.Helper()
	p, err := proc.Start(proc.Spec{Name: name, Path: path, LogDir: f.dir, Env: append(f.server.Env(name), env...)})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(p.Kill)
	f.t.Cleanup(func() {
		if f.t.Failed() {
			f.t.Logf("%s: %s", name, p.Tail(10))
		}
	})
	return p
}

// leasekeeper starts one and returns its base URL.
func (f *fleet) leasekeeper(path string) string {
	f.t.Helper()
	p := f.start("leasekeeper", path, "LEASEKEEPER_LISTEN=127.0.0.1:0", "LEASEKEEPER_LEASE_DURATION=2s")
	address, err := p.WaitListening(f.ctx)
	if err != nil {
		f.t.Fatal(err)
	}
	return "http://" + address
}

func (f *fleet) consumer(path, leasekeeper string) *proc.Process {
	f.t.Helper()
	return f.start("consumer", path, "CONSUMER_LISTEN=127.0.0.1:0", "CONSUMER_LEASEKEEPER_URL="+leasekeeper)
}

func (f *fleet) produce() {
	f.t.Helper()
	p := f.start("producer", f.head.Producer, fmt.Sprintf("PRODUCER_COUNT=%d", messages))
	if err := p.Wait(patience); err != nil {
		f.t.Fatal(err)
	}
}

// stored waits until every message is in the table, once.
func (f *fleet) stored() {
	f.t.Helper()
	reader := verify.NewStreamReader(f.server.Kinesis, awslocal.Stream)
	report, err := verify.WaitStored(f.ctx, messages, 100*time.Millisecond, func(ctx context.Context) (verify.Report, error) {
		return verify.Tables(ctx, reader, f.server.DynamoDB, awslocal.MessagesTable, awslocal.DeadLetterTable)
	})
	if err != nil || !report.Clean() {
		f.t.Fatalf("got %s (%v), want %d messages stored once", report, err, messages)
	}
}

// pair runs one consumer beside one leasekeeper until all is stored, then stops
// the consumer, which must hand everything back.
func (f *fleet) pair(leasekeeper string, consumer string) {
	f.t.Helper()
	f.produce()
	c := f.consumer(consumer, leasekeeper)
	f.stored()
	if err := c.Stop(patience); err != nil || c.ExitCode() != 0 {
		f.t.Fatalf("consumer ended with %d (%v), want 0", c.ExitCode(), err)
	}
}
