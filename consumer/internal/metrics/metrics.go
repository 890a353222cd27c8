// Package metrics counts what the consumer does, for Prometheus and CloudWatch.
package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics observes the parts of a consumer; it implements the Observers of the
// packages attempt, reader and shard. Its methods do not block and are safe for
// use by several goroutines.
type Metrics struct {
	registry *prometheus.Registry
	process  *prometheus.Registry // of the process and of Go: too many to pay CloudWatch for

	recordsRead, bytesRead, readThrottles, readFailures prometheus.Counter
	unpacked, damaged, outOfRange, trimmed              prometheus.Counter
	handled, done, retried, unavailable, buried, panics prometheus.Counter
	writesThrottled                                     prometheus.Counter
	syncs, syncFailures                                 prometheus.Counter
	latency                                             prometheus.Histogram
	pace                                                prometheus.Histogram
}

// New returns Metrics with a registry of their own.
func New() *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), process: prometheus.NewRegistry()}
	m.process.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: "consumer", Name: name, Help: help})
		m.registry.MustRegister(c)
		return c
	}
	m.recordsRead = counter("records_read_total", "Kinesis records read.")
	m.bytesRead = counter("bytes_read_total", "Bytes of records read, as Kinesis counts them.")
	m.readThrottles = counter("read_throttles_total", "Reads that Kinesis throttled.")
	m.readFailures = counter("read_failures_total", "Reads that failed for other reasons.")
	m.unpacked = counter("unpacked_messages_total", "Messages found in aggregated records.")
	m.damaged = counter("damaged_aggregates_total", "Records that begin like an aggregate and are none.")
	m.outOfRange = counter("out_of_range_messages_total", "Messages in an aggregate whose key belongs to another shard.")
	m.trimmed = counter("checkpoints_trimmed_total", "Shards whose checkpoint, or the last record that was read, the stream had trimmed away: what came after it may be lost.")
	m.handled = counter("handler_calls_total", "Calls of the handler.")
	m.done = counter("messages_done_total", "Messages that are done: stored, or dead-lettered.")
	m.retried = counter("messages_retried_total", "Further attempts at messages that failed.")
	m.unavailable = counter("messages_waited_total", "Further attempts at messages because the sink was unavailable.")
	m.buried = counter("dead_letters_total", "Messages written to the dead-letter table.")
	m.panics = counter("handler_panics_total", "Panics of the handler.")
	m.writesThrottled = counter("writes_throttled_total", "Items that DynamoDB did not take at once.")
	m.syncs = counter("syncs_total", "Answers of leasekeeper.")
	m.syncFailures = counter("sync_failures_total", "Calls of leasekeeper that failed.")
	m.latency = prometheus.NewHistogram(prometheus.HistogramOpts{
		Namespace: "consumer", Name: "handler_seconds", Help: "How long a call of the handler took.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, 1, 5, 30, 120, 600},
	})
	m.pace = prometheus.NewHistogram(prometheus.HistogramOpts{
		Namespace: "consumer", Name: "handler_batch_messages", Help: "Messages in a call of the handler.",
		Buckets: []float64{1, 2, 5, 10, 20, 25, 50, 100},
	})
	m.registry.MustRegister(m.latency, m.pace)
	return m
}

// Gauge adds a number that is asked for when somebody looks.
func (m *Metrics) Gauge(name, help string, value func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "consumer", Name: name, Help: help}, value))
}

// Collector adds series of its own.
func (m *Metrics) Collector(c prometheus.Collector) { m.registry.MustRegister(c) }

// Handler serves the metrics to Prometheus, those of the process and of Go
// included.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(prometheus.Gatherers{m.registry, m.process}, promhttp.HandlerOpts{})
}

// Handled counts a call of the handler.
func (m *Metrics) Handled(messages int, took time.Duration) {
	m.handled.Inc()
	m.latency.Observe(took.Seconds())
	m.pace.Observe(float64(messages))
}

// Done counts messages that are done.
func (m *Metrics) Done(messages int) { m.done.Add(float64(messages)) }

// Retried counts further attempts.
func (m *Metrics) Retried(messages int) { m.retried.Add(float64(messages)) }

// Unavailable counts further attempts that the sink is the reason of.
func (m *Metrics) Unavailable(messages int) { m.unavailable.Add(float64(messages)) }

// Buried counts a dead letter.
func (m *Metrics) Buried() { m.buried.Inc() }

// Panicked counts a panic of the handler.
func (m *Metrics) Panicked() { m.panics.Inc() }

// Read counts an answer of Kinesis.
func (m *Metrics) Read(records int, bytes, _ int64) {
	m.recordsRead.Add(float64(records))
	m.bytesRead.Add(float64(bytes))
}

// Throttled counts a read that was throttled.
func (m *Metrics) Throttled() { m.readThrottles.Inc() }

// ReadFailed counts a read that failed.
func (m *Metrics) ReadFailed() { m.readFailures.Inc() }

// Damaged counts a damaged aggregate.
func (m *Metrics) Damaged() { m.damaged.Inc() }

// OutOfRange counts a message whose key belongs to another shard.
func (m *Metrics) OutOfRange() { m.outOfRange.Inc() }

// CheckpointTrimmed counts a shard whose checkpoint retention has passed.
func (m *Metrics) CheckpointTrimmed() { m.trimmed.Inc() }

// Unpacked counts the messages of an aggregate.
func (m *Metrics) Unpacked(records int) { m.unpacked.Add(float64(records)) }

// WritesThrottled counts items that were not taken at once.
func (m *Metrics) WritesThrottled(items int) { m.writesThrottled.Add(float64(items)) }

// Synced counts a call of leasekeeper.
func (m *Metrics) Synced(err error) {
	if err != nil {
		m.syncFailures.Inc()
		return
	}
	m.syncs.Inc()
}
