package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/handler"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/attempt"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/awsclient"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/budget"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/config"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/deadletter"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/dispatch"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/health"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/keeper"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/kinesis"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/logging"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/memory"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/metrics"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/reader"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/settings"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/shard"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/store"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/task"
)

// Sizes that are not settings.
const (
	queueSize      = 32_768 // messages that wait or are in process, all shards together: some 8 MB; four times what may be in process, if that is more
	shardQueueSize = 1_024  // of one shard; twice what may be in process, if that is more
	messageInMind  = 144    // bytes, at most, for a message that is done behind one that is not: see watermark.Tracker
	batchBytes     = 1 << 20
	linger         = 5 * time.Millisecond
	minBackoff     = 100 * time.Millisecond
	maxBackoff     = 10 * time.Second
	emfEvery       = time.Minute
	quiet          = 10 * time.Second // a shard without a read has lag; a subscription has an event every 5 s or so
	slowPolls      = 5                // a shard that is throttled is polled up to four times as seldom
)

// consumer is a Program at work.
type consumer struct {
	settings config.Settings
	log      zerolog.Logger
	aws      aws.Config
	metrics  *metrics.Metrics
	budget   *budget.Budget
	letters  *deadletter.Table
}

func (p Program) consume(ctx context.Context) int {
	c, code := p.prepare(ctx)
	if code != ExitOK {
		return code
	}
	c.limitMemory()
	h, err := c.handler(ctx, p)
	if err == nil {
		err = c.run(ctx, p, h)
	}
	switch {
	case err == nil:
		return ExitOK
	case errors.Is(err, task.ErrUnfinished):
		return ExitUnfinished
	case ctx.Err() != nil:
		return ExitOK // stopped before it had begun
	}
	return c.failed(err)
}

// failed tells why it ends.
func (c *consumer) failed(err error) int {
	c.log.Error().Msg(awsclient.Explain(err).Error())
	return ExitFailed
}

// prepare reads the settings and finds credentials.
func (p Program) prepare(ctx context.Context) (*consumer, int) {
	c, code := p.configure()
	if code == ExitOK {
		code = p.connect(ctx, c)
	}
	return c, code
}

// configure reads the settings.
func (p Program) configure() (*consumer, int) {
	c := &consumer{}
	if err := settings.Load(config.Prefix, &c.settings); err != nil {
		return nil, p.fail(ExitUsage, err)
	}
	c.log = logging.New(p.Stderr, c.settings.LogLevel, c.settings.LogFormat, false, "consumer", p.Version)
	size, err := c.settings.Budget()
	if err != nil {
		return nil, p.fail(ExitUsage, err)
	}
	c.budget = budget.New(size)
	return c, ExitOK
}

// connect finds credentials and region.
func (p Program) connect(ctx context.Context, c *consumer) (code int) {
	var err error
	if c.aws, err = awsclient.Load(ctx, c.log); err != nil {
		return c.failed(err)
	}
	c.aws = tuned(c.aws)
	c.metrics = metrics.New()
	c.letters = deadletter.New(c.aws, c.settings.DeadLetterTable)
	return ExitOK
}

func (c *consumer) limitMemory() {
	container, _ := memory.Limit(os.DirFS("/"))
	c.log.Info().Int64("container_bytes", container).Int64("gomemlimit_bytes", memory.Set(container, c.budget.Size())).Msg("memory limit")
}

// handler makes the handler, and looks at the tables that are needed.
func (c *consumer) handler(ctx context.Context, p Program) (handler.Handler, error) {
	if err := store.Check(ctx, c.aws, c.settings.DeadLetterTable, "CONSUMER_DEAD_LETTER_TABLE"); err != nil {
		if !errors.Is(err, store.ErrTable) {
			return nil, err
		}
		c.log.Warn().Msg(err.Error() + "; until then a message that cannot be handled stops its key, and in the end its shard")
	}
	if p.NewHandler != nil {
		h, err := p.NewHandler(ctx, Env{AWS: c.aws, Log: c.log})
		if err != nil {
			return nil, fmt.Errorf("make handler: %w", err)
		}
		return h, nil
	}
	if err := store.Check(ctx, c.aws, c.settings.MessagesTable, "CONSUMER_MESSAGES_TABLE"); err != nil {
		return nil, err
	}
	return store.New(c.aws, store.Options{
		Name: c.settings.MessagesTable, ItemTTL: c.settings.ItemTTL, Throttled: c.metrics.WritesThrottled, Waited: c.metrics.Unavailable, Log: c.log,
	}), nil
}

// run works until ctx ends and everything is drained.
func (c *consumer) run(ctx context.Context, p Program, h handler.Handler) error {
	var t *task.Task
	d := dispatch.New(c.dispatchOptions(h, c.metrics, func() { t.Moved() }))
	t = task.New(task.Options{
		Keeper: keeper.New(c.settings.LeasekeeperURL),
		Shards: shard.Deps{
			Dispatcher: d, Reader: c.reader(), Observer: c.metrics, Skip: c.settings.OutOfRange == config.Skip,
			Quiet: max(quiet, slowPolls*c.settings.PollMaxWait), Log: c.log,
		},
		Consumer: uuid.NewString(), Version: p.Version, DrainTimeout: c.settings.DrainTimeout,
		Synced: c.metrics.Synced, Log: c.log,
	})
	w := newWatch(t, c.settings.StallTimeout, c.settings.PollMaxWait)
	c.gauges(d, w)
	if c.settings.ShardMetrics {
		c.metrics.Collector(newShardMetrics(t))
	}
	stop := c.export(ctx, p.Stdout)
	defer stop()
	server, err := health.Listen(ctx, c.settings.Listen, w.live, w.ready, c.exposed())
	if err != nil {
		return err
	}
	defer server.Close()
	served := make(chan error, 1)
	go func() { served <- server.Serve() }()
	watching, unwatch := context.WithCancel(context.WithoutCancel(ctx)) // while draining too
	defer unwatch()
	go w.run(watching)
	c.log.Info().Str("address", server.Address()).Str("leasekeeper", c.settings.LeasekeeperURL).
		Int("cpus", runtime.GOMAXPROCS(0)).Msg("listening")
	if err := t.Run(ctx); err != nil {
		return fmt.Errorf("drain: %w", err)
	}
	c.log.Info().Msg("stopped")
	return nil
}

// exposed returns what /metrics serves, nil if nothing.
func (c *consumer) exposed() http.Handler {
	if c.settings.Metrics == config.None {
		return nil
	}
	return c.metrics.Handler()
}

// export writes metrics for CloudWatch if that is asked for, until the
// returned function is called.
func (c *consumer) export(ctx context.Context, w io.Writer) (stop func()) {
	if c.settings.Metrics != config.EMF {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := c.metrics.EMF(ctx, w, c.settings.Stream, emfEvery); err != nil {
			c.log.Warn().Err(err).Msg("metrics are not written any more")
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

// observer hears what becomes of messages.
type observer interface {
	attempt.Observer
	Done(messages int)
}

func (c *consumer) dispatchOptions(h handler.Handler, o observer, moved func()) dispatch.Options {
	s := &c.settings
	policy := &attempt.Policy{
		Handler: h, MaxAttempts: s.MaxAttempts, MaxAge: s.MaxRetryAge, Block: s.OnPoison == config.Block,
		Graves: c.letters, Observer: o, Log: c.log, MinBackoff: minBackoff, MaxBackoff: maxBackoff,
	}
	size := 1
	if b, ok := h.(handler.BatchSizer); ok {
		size = max(1, b.BatchSize())
	}
	return dispatch.Options{
		Process: policy.Process, Limit: s.ConcurrencyLimit, BatchSize: size, BatchBytes: batchBytes, Linger: linger,
		Unordered: s.Order == config.OrderNone, Queue: max(queueSize, 4*s.ConcurrencyLimit), ShardQueue: max(shardQueueSize, 2*s.ConcurrencyLimit),
		Unfinished: int(c.budget.Size() / 4 / messageInMind), Moved: moved, Done: o.Done,
	}
}

func (c *consumer) reader() shard.Reader {
	s := &c.settings
	polling := c.polling(s.ReadCallsPerSecond, s.ReadBytesPerSecond)
	if s.ReadMode == config.Fanout {
		return reader.NewFanout(kinesis.NewSubscriber(c.aws, s.FanoutConsumerARN, s.FanoutName, c.log), polling)
	}
	return polling
}

func (c *consumer) polling(calls, bytes float64) *reader.Polling {
	source := kinesis.New(c.aws, c.log)
	if c.settings.ReadEncoding == config.JSON {
		source.OnlyJSON()
	}
	return &reader.Polling{
		Source: source, Budget: c.budget, Observer: c.metrics, Log: c.log,
		Pace: reader.Pace{CallsPerSecond: calls, BytesPerSecond: bytes, MaxWait: c.settings.PollMaxWait},
	}
}

func (c *consumer) gauges(d *dispatch.Dispatcher, w *watch) {
	c.metrics.Gauge("messages_in_process", "Messages that handlers have now.", func() float64 { return float64(d.InProcess()) })
	c.metrics.Gauge("memory_budget_bytes", "What messages that are not done may take.", func() float64 { return float64(c.budget.Size()) })
	c.metrics.Gauge("memory_used_bytes", "What messages that are not done take.", func() float64 { return float64(c.budget.Used()) })
	c.metrics.Gauge("shards", "Shards that are read.", func() float64 { return float64(w.snapshot().shards) })
	c.metrics.Gauge("lag_milliseconds", "Of the shard that is furthest behind: behind its newest record, and since when it cannot be read if so, or the age of its oldest unfinished message.", func() float64 { return float64(w.snapshot().lagMS) })
	c.metrics.Gauge("oldest_unfinished_seconds", "Age of the oldest message that is not done.", func() float64 { return w.snapshot().oldest.Seconds() })
	c.metrics.Gauge("stalled_shards", "Shards whose checkpoint has not moved for CONSUMER_STALL_TIMEOUT though messages are unfinished, or that could not be read for so long.", func() float64 { return float64(w.snapshot().stalled) })
}
