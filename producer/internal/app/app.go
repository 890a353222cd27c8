// Package app wires one producer run: settings, stream, source, delivery,
// progress, and the final account.
package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/account"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/awsclient"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/config"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/delivery"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/progress"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/put"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/shards"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/source"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/stream"
)

// startTimeout bounds everything before the first message.
const startTimeout = 9 * time.Second

// Sentinels for a run that did not do everything. Rejected is the weaker one.
var (
	ErrUnacknowledged = errors.New("not every message was acknowledged")
	ErrRejected       = errors.New("messages were rejected")
	ErrStopped        = errors.New("stopped before the first message: nothing was sent")
)

// IO is what a run reads and writes.
type IO struct {
	Stdin    io.ReadCloser
	Stdout   io.Writer
	Stderr   io.Writer          // plain progress lines
	Terminal *progress.Terminal // set when stderr is a terminal
}

// Run delivers the source's messages until its end, or until stop ends, and
// writes the account to Stdout. What was accepted by then has the drain timeout,
// or until abandon ends. It returns ErrUnacknowledged or ErrRejected when the
// account is not clean, or what kept it from working.
func Run(stop, abandon context.Context, s config.Settings, log zerolog.Logger, streams IO) error {
	started := time.Now()
	target, err := open(stop, s, log)
	if err != nil && stop.Err() != nil {
		return ErrStopped
	}
	if err != nil {
		return err
	}
	books := account.New()
	from, err := newSource(s, streams.Stdin, target.limit)
	if err != nil {
		return err
	}
	engine := delivery.New(target.options(s, books, log))
	stopAdmin, err := serve(stop, s.Listen, books, log)
	if err != nil {
		return err
	}
	defer stopAdmin()
	endProgress := report(s, books, log, streams)
	f := &feed{source: from, into: engine, account: books, limiter: newLimiter(s.Rate), limit: target.limit, log: log}
	runErr := deliver(stop, abandon, f, engine, s.DrainTimeout, streams.Stdin)
	endProgress()

	summary := books.Summarize(time.Since(started))
	summary.Stream, summary.Stopped = s.Stream, "end"
	switch {
	case runErr != nil:
		summary.Stopped, summary.Error = "error", runErr.Error()
	case stop.Err() != nil:
		summary.Stopped = "signal"
	}
	return conclude(summary, runErr, log, streams.Stdout)
}

// deliver feeds the engine and waits until everything is settled. When stop
// ends, nothing more is accepted, and what was has the drain timeout, or until
// abandon ends.
func deliver(stop, abandon context.Context, f *feed, engine *delivery.Engine, drain time.Duration, stdin io.Closer) error {
	running, end := context.WithCancel(abandon)
	defer end()
	feeding, stopFeed := context.WithCancel(stop)
	defer stopFeed()
	fed := make(chan error, 1)
	go func() { fed <- f.run(feeding) }()
	delivered := make(chan error, 1)
	go func() { delivered <- engine.Run(running) }()

	var feedErr error
	select {
	case feedErr = <-fed:
	case <-stop.Done():
	case err := <-delivered:
		_ = stdin.Close() // ends a read that waits
		return err
	}
	engine.Close()
	select {
	case err := <-delivered:
		return errors.Join(feedErr, err)
	case <-stop.Done():
	}
	timer := time.AfterFunc(drain, end)
	defer timer.Stop()
	return errors.Join(feedErr, <-delivered)
}

// target is the stream with what was learned about it.
type target struct {
	put     *put.Client
	shards  *shards.Map
	refresh func(context.Context) (*shards.Map, error)
	limit   int
}

func open(ctx context.Context, s config.Settings, log zerolog.Logger) (*target, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	cfg, err := awsclient.Load(ctx, log)
	if err != nil {
		return nil, err
	}
	client := put.Dial(cfg, s.Concurrency)
	named := stream.New(client, s.Stream)
	t := &target{put: put.New(client, s.Stream), limit: s.MaxMessageBytes}
	largest, err := named.MaxRecord(ctx)
	switch {
	case stream.Denied(err):
		log.Warn().Int("max_message_bytes", stream.DefaultMaxRecord).Msg("no permission for kinesis:DescribeStreamSummary; the stream's limit is not known")
		largest = stream.DefaultMaxRecord
	case err != nil:
		return nil, awsclient.Explain(err)
	}
	if t.limit == 0 {
		t.limit = largest
	}
	t.shards, err = named.Shards(ctx)
	t.refresh = named.Shards
	switch {
	case stream.Denied(err) && !s.Aggregate:
		log.Warn().Msg("no permission for kinesis:ListShards; a throttled shard slows all")
		t.shards, t.refresh = shards.Whole(), nil
	case err != nil:
		return nil, awsclient.Explain(err)
	}
	return t, nil
}

func (t *target) options(s config.Settings, books *account.Account, log zerolog.Logger) delivery.Options {
	o := delivery.Options{
		Linger: s.Linger, AttemptTimeout: s.AttemptTimeout, RetryTimeout: s.RetryTimeout,
		Concurrency: s.Concurrency, MaxRecords: put.MaxRecords, MaxBytes: put.MaxBytes,
		MaxBuffered: s.MaxBufferedBytes, Ordered: s.Ordered,
		Put: t.put, Shards: t.shards, Refresh: t.refresh, Account: books, Log: log,
	}
	if s.Aggregate {
		o.AggregateBytes = min(s.AggregateBytes, t.limit)
	}
	return o
}

func newSource(s config.Settings, stdin io.Reader, limit int) (source.Source, error) {
	key, err := source.ParseKey(s.Key)
	if err != nil {
		return nil, err
	}
	if s.Source == config.Generate {
		return source.NewGenerator(s.Count, s.Size, key), nil
	}
	return source.NewLineReader(stdin, s.Format, key, limit), nil
}

// report starts the progress the settings ask for, and returns how to end it.
func report(s config.Settings, books *account.Account, log zerolog.Logger, streams IO) func() {
	total := s.Count
	if s.Source != config.Generate {
		total = 0
	}
	var r *progress.Reporter
	switch {
	case s.Progress == config.ProgressOff:
		return func() {}
	case s.Progress == config.ProgressLog:
		r = progress.Log(books, total, log)
	case streams.Terminal != nil:
		r = progress.OnTerminal(books, total, streams.Terminal)
	default:
		r = progress.Plain(books, total, streams.Stderr)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.Run(ctx)
	}()
	return func() {
		cancel()
		<-ended
	}
}

// conclude logs and writes the account, and turns it into the run's error.
func conclude(summary account.Summary, runErr error, log zerolog.Logger, out io.Writer) error {
	event := log.Info()
	if summary.Failed > 0 || summary.Rejected > 0 || runErr != nil {
		event = log.Error()
	}
	event.Int64("accepted", summary.Accepted).Int64("acknowledged", summary.Acknowledged).
		Int64("retried", summary.Retried).Int64("failed", summary.Failed).Int64("rejected", summary.Rejected).
		Int64("maybe_doubled", summary.MaybeDoubled).Float64("seconds", summary.Seconds).
		Float64("messages_per_second", summary.MessagesPerSecond).Str("stopped", summary.Stopped).Msg("finished")
	if err := json.NewEncoder(out).Encode(summary); err != nil {
		return errors.Join(runErr, fmt.Errorf("write account: %w", err))
	}
	switch {
	case runErr != nil:
		return runErr
	case summary.Failed > 0:
		return fmt.Errorf("%w: %d failed", ErrUnacknowledged, summary.Failed)
	case summary.Rejected > 0:
		return fmt.Errorf("%w: %d", ErrRejected, summary.Rejected)
	}
	return nil
}
