// Package demo is the whole system on one machine for a few seconds: ten
// thousand messages through three shards and three tasks, one task killed on
// the way and a new one joining, and every message looked for at the end.
package demo

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/awslocal"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/build"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/proc"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/verify"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/view"
)

// Options of a demo.
type Options struct {
	Binaries build.Binaries
	LogDir   string
	Messages int           // 10 000 if 0
	Rate     int           // messages a second; 1 000 if 0
	Lease    time.Duration // 2 s if 0
}

// ErrInterrupted is the error of a demo whose context ended before it did.
var ErrInterrupted = errors.New("interrupted")

// Verdict is the last line of the demo. What was not looked at is not in it.
type Verdict struct {
	Demo string `json:"demo"` // ok or failed
	*Counts
	FailoverMS int64   `json:"failover_ms,omitempty"`
	Seconds    float64 `json:"seconds"`
	Error      string  `json:"error,omitempty"`
}

// Counts is what was found in the stream and the tables.
type Counts struct {
	Produced   int `json:"produced"`
	Stored     int `json:"stored"`
	Missing    int `json:"missing"`
	Duplicated int `json:"duplicated"`
	OutOfOrder int `json:"out_of_order"`
}

// Bounds of the waits, for machines much slower than the demo is made for.
const (
	balanceTimeout  = 8 * time.Second
	readTimeout     = 60 * time.Second
	failoverTimeout = 30 * time.Second
	producerTimeout = 120 * time.Second
	storedTimeout   = 60 * time.Second
	sampleEvery     = time.Second
	showEvery       = 250 * time.Millisecond
	freshRead       = 2 * time.Second
)

type demo struct {
	Options
	screen  *view.Screen
	started time.Time
	cluster *cluster.Cluster
	order   *verify.Order
}

// Run runs the demo until ctx ends; that may be in the middle of anything. It
// leaves no process behind, and shows nothing after its return.
func Run(ctx context.Context, o Options, screen *view.Screen) Verdict {
	if o.Messages == 0 {
		o.Messages = 10_000
	}
	if o.Rate == 0 {
		o.Rate = 1_000
	}
	if o.Lease == 0 {
		o.Lease = 2 * time.Second
	}
	d := &demo{Options: o, screen: screen, started: time.Now()}
	verdict, err := d.run(ctx)
	verdict.Seconds = math.Round(time.Since(d.started).Seconds()*10) / 10
	verdict.Demo = "ok"
	switch {
	case err == nil:
		err = judge(*verdict.Counts, o.Messages)
	case ctx.Err() != nil:
		err = ErrInterrupted
	}
	if err != nil {
		verdict.Demo, verdict.Error = "failed", err.Error()
	}
	return verdict
}

func judge(v Counts, want int) error {
	switch {
	case v.Produced != want:
		return fmt.Errorf("%d of %d messages are in the stream", v.Produced, want)
	case v.Missing > 0 || v.Stored != want:
		return fmt.Errorf("%d messages are missing", v.Missing)
	case v.Duplicated > 0:
		return fmt.Errorf("%d messages are there more than once", v.Duplicated)
	case v.OutOfOrder > 0:
		return fmt.Errorf("%d breaches of the order of checkpoints", v.OutOfOrder)
	}
	return nil
}

func (d *demo) run(ctx context.Context) (Verdict, error) {
	c, err := cluster.New(ctx, cluster.Options{Binaries: d.Binaries, LogDir: d.LogDir, Lease: d.Lease})
	if c != nil {
		defer c.Close()
	}
	if err != nil {
		return Verdict{}, err
	}
	d.cluster = c
	d.screen.Event("localaws at %s: stream of 3 shards, tables", c.AWS.URL)
	if _, err := c.AddTasks(ctx, 3); err != nil {
		return Verdict{}, err
	}
	d.screen.Event("3 tasks up, each a leasekeeper and a consumer")
	producer, err := c.StartProducer(d.Messages, d.Rate)
	if err != nil {
		return Verdict{}, err
	}
	d.screen.Event("producer: %d messages, %d a second", d.Messages, d.Rate)
	d.order = &verify.Order{
		DynamoDB: c.AWS.DynamoDB, LeaseTable: awslocal.LeaseTable, Messages: awslocal.MessagesTable,
		Records: verify.NewStreamReader(c.AWS.Kinesis, awslocal.Stream),
	}
	watch, cancel := context.WithCancel(ctx)
	watching := d.watch(watch)
	stop := func() { cancel(); <-watching }
	defer stop()
	failover, err := d.scenario(ctx, producer)
	verdict := Verdict{FailoverMS: failover.Milliseconds()}
	if err == nil {
		verdict.Counts, err = d.verify(ctx, stop)
	}
	return verdict, err
}

// watch shows the state and samples the checkpoints until ctx ends; the channel
// is closed after that.
func (d *demo) watch(ctx context.Context) <-chan struct{} {
	done := make(chan struct{})
	sampled := make(chan struct{})
	go func() {
		defer close(sampled)
		d.order.Run(ctx, sampleEvery)
	}()
	go func() {
		defer close(done)
		ticker := time.NewTicker(showEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				d.screen.Show(d.cluster.Observe(ctx, d.started, d.Messages))
			case <-ctx.Done():
				<-sampled
				return
			}
		}
	}()
	return done
}

// verify looks for every message, after a wait for those just being stored.
func (d *demo) verify(ctx context.Context, stopWatching func()) (*Counts, error) {
	records := verify.NewStreamReader(d.cluster.AWS.Kinesis, awslocal.Stream)
	waiting, cancel := context.WithTimeout(ctx, storedTimeout)
	defer cancel()
	read := func(ctx context.Context) (verify.Report, error) {
		return verify.Tables(ctx, records, d.cluster.AWS.DynamoDB, awslocal.MessagesTable, "")
	}
	report, err := verify.WaitStored(waiting, d.Messages, 200*time.Millisecond, read)
	if ctx.Err() != nil {
		return nil, err // the look was not to its end
	}
	d.screen.Event("looked for every message: %d stored, %d missing, %d twice", report.Stored, report.Missing, report.Duplicated)
	final := d.cluster.Observe(ctx, d.started, d.Messages)
	stopWatching()
	orderErr := d.order.Sample(ctx) // after the last message: the end state counts too
	d.screen.Show(final)
	breaches, details, _ := d.order.Breaches()
	for _, detail := range details {
		d.screen.Event("%s", detail)
	}
	if err == nil {
		err = orderErr
	}
	if err == nil {
		err = d.order.Enough()
	}
	return &Counts{
		Produced: report.Produced, Stored: report.Stored, Missing: report.Missing,
		Duplicated: report.Duplicated, OutOfOrder: breaches,
	}, err
}

// finish waits for the producer's own account.
func (d *demo) finish(ctx context.Context, producer *proc.Process) error {
	waiting, cancel := context.WithTimeout(ctx, producerTimeout)
	defer cancel()
	select {
	case <-producer.Done():
	case <-waiting.Done():
	}
	if err := waiting.Err(); err != nil {
		return fmt.Errorf("wait for the producer: %w", err)
	}
	if code := producer.ExitCode(); code != 0 {
		return fmt.Errorf("producer exited with %d\n%s", code, producer.Tail(10))
	}
	d.screen.Event("producer done: every message acknowledged")
	return nil
}
