package app

import (
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/shard"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/task"
)

// maxShardSeries bounds how many shards have series of their own: the first ones
// by name, so that they are the same at every look.
const maxShardSeries = 100

// shardMetrics collects series for single shards. It is a
// prometheus.Collector.
type shardMetrics struct {
	task            *task.Task
	lag, unfinished *prometheus.Desc
}

func newShardMetrics(t *task.Task) *shardMetrics {
	labels := []string{"shard"}
	return &shardMetrics{
		task:       t,
		lag:        prometheus.NewDesc("consumer_shard_lag_milliseconds", "Behind the newest record, or the age of the oldest unfinished message.", labels, nil),
		unfinished: prometheus.NewDesc("consumer_shard_unfinished_messages", "Messages from the first unfinished one on.", labels, nil),
	}
}

// Describe implements prometheus.Collector.
func (m *shardMetrics) Describe(c chan<- *prometheus.Desc) {
	c <- m.lag
	c <- m.unfinished
}

// Collect implements prometheus.Collector.
func (m *shardMetrics) Collect(c chan<- prometheus.Metric) {
	seen := map[string]bool{} // two grants of one shard may be at work for a moment
	for _, s := range slices.SortedFunc(slices.Values(m.task.Shards()), byName) {
		id, _ := s.Key()
		if seen[id] || len(seen) == maxShardSeries {
			continue
		}
		seen[id] = true
		c <- prometheus.MustNewConstMetric(m.lag, prometheus.GaugeValue, float64(s.Progress().LagMS), id)
		c <- prometheus.MustNewConstMetric(m.unfinished, prometheus.GaugeValue, float64(s.State().Unfinished), id)
	}
}

func byName(a, b *shard.Shard) int {
	x, _ := a.Key()
	y, _ := b.Key()
	return strings.Compare(x, y)
}
