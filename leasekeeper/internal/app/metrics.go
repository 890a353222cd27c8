package app

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/config"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/keeper"
)

// counter is what metrics are read from.
type counter interface {
	Counts(ctx context.Context) (keeper.Counts, error)
}

// metrics is a Prometheus collector over the keeper's counts: some twenty
// series, however many shards and workers there are.
type metrics struct {
	registry *prometheus.Registry
	source   atomic.Pointer[counter]
	series   []series
}

type series struct {
	name  string // as at /metrics
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(c *keeper.Counts) float64
}

// newMetrics returns nil where no metrics are wanted.
func newMetrics(version, kind string) *metrics {
	if kind == config.MetricsNone {
		return nil
	}
	m := &metrics{registry: prometheus.NewRegistry(), series: allSeries()}
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "leasekeeper_build_info", Help: "1, with the version.",
		ConstLabels: prometheus.Labels{"version": version}})
	build.Set(1)
	m.registry.MustRegister(m, build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) watch(c counter) {
	if m != nil {
		m.source.Store(&c)
	}
}

// handler returns nil where there are no metrics.
func (m *metrics) handler() http.Handler {
	if m == nil {
		return nil
	}
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Describe implements prometheus.Collector.
func (m *metrics) Describe(out chan<- *prometheus.Desc) {
	for _, s := range m.series {
		out <- s.desc
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(out chan<- prometheus.Metric) {
	source := m.source.Load()
	if source == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	counts, err := (*source).Counts(ctx)
	if err != nil {
		return // the loop has ended or is stuck: healthz says so
	}
	for _, s := range m.series {
		out <- prometheus.MustNewConstMetric(s.desc, s.kind, s.value(&counts))
	}
}

func allSeries() []series {
	total := func(name, help string, value func(c *keeper.Counts) int64) series {
		name = "leasekeeper_" + name + "_total"
		return series{name, prometheus.NewDesc(name, help, nil, nil), prometheus.CounterValue,
			func(c *keeper.Counts) float64 { return float64(value(c)) }}
	}
	gauge := func(name, help string, value func(c *keeper.Counts) float64) series {
		name = "leasekeeper_" + name
		return series{name, prometheus.NewDesc(name, help, nil, nil), prometheus.GaugeValue, value}
	}
	return []series{
		total("lives", "Worker ids this process has had; more than 1: its peers declared it dead.", func(c *keeper.Counts) int64 { return c.Lives }),
		total("heartbeats", "Heartbeats that landed.", func(c *keeper.Counts) int64 { return c.Beats }),
		total("heartbeat_failures", "Attempts at a heartbeat that did not succeed.", func(c *keeper.Counts) int64 { return c.BeatFailures }),
		total("evictions", "Peers this worker has evicted.", func(c *keeper.Counts) int64 { return c.Evictions }),
		total("claims", "Leases claimed.", func(c *keeper.Counts) int64 { return c.Claims }),
		total("claims_refused", "Claims that met another row than expected.", func(c *keeper.Counts) int64 { return c.ClaimsRefused }),
		total("releases", "Leases released for others.", func(c *keeper.Counts) int64 { return c.Releases }),
		total("losses", "Leases found to be another's.", func(c *keeper.Counts) int64 { return c.Lost }),
		total("shards_finished", "Shards processed to their end.", func(c *keeper.Counts) int64 { return c.Finished }),
		total("shards_trimmed", "Of these, shards the stream had trimmed away: what was not read is lost.", func(c *keeper.Counts) int64 { return c.Trimmed }),
		total("checkpoints", "Checkpoints written.", func(c *keeper.Counts) int64 { return c.Checkpoints }),
		total("lease_write_failures", "Attempts at writing a held lease that did not succeed.", func(c *keeper.Counts) int64 { return c.WriteFailures }),
		total("scan_failures", "Attempts at reading a table that did not succeed.", func(c *keeper.Counts) int64 { return c.ScanFailures }),
		total("plans", "Plans computed.", func(c *keeper.Counts) int64 { return c.Plans }),
		total("discoveries", "Syncs of the lease table with the stream's shards.", func(c *keeper.Counts) int64 { return c.Discoveries }),
		total("discovery_failures", "Such syncs that came to nothing.", func(c *keeper.Counts) int64 { return c.DiscoveryFailures }),
		total("syncs", "Answers to the consumer.", func(c *keeper.Counts) int64 { return c.Syncs }),
		gauge("leases_held", "Leases this worker holds.", func(c *keeper.Counts) float64 { return float64(c.Held) }),
		gauge("leases_served", "Leases it grants to its consumer.", func(c *keeper.Counts) float64 { return float64(c.Served) }),
		gauge("leases", "Rows of the lease table.", func(c *keeper.Counts) float64 { return float64(c.Leases) }),
		gauge("workers", "Live workers.", func(c *keeper.Counts) float64 { return float64(c.Workers) }),
		gauge("max_lag_seconds", "Lag of the slowest lease held, as its consumer reports it.", func(c *keeper.Counts) float64 { return float64(c.MaxLagMillis) / 1000 }),
		gauge("lease_validity_seconds", "What is left of the leases' validity; 0 or less: they are over.", func(c *keeper.Counts) float64 { return c.Valid.Seconds() }),
		gauge("ready", "1 when ready, as /readyz says.", func(c *keeper.Counts) float64 {
			if c.Ready {
				return 1
			}
			return 0
		}),
	}
}
