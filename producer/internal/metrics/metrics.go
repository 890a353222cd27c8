// Package metrics shows an account to Prometheus.
package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/account"
)

// New returns a registry that reads the account when it is asked.
func New(books *account.Account) *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	counter := func(name, help string, read func(account.Now) int64) {
		registry.MustRegister(prometheus.NewCounterFunc(
			prometheus.CounterOpts{Namespace: "producer", Name: name, Help: help},
			func() float64 { return float64(read(books.Now())) }))
	}
	gauge := func(name, help string, read func(account.Now) int64) {
		registry.MustRegister(prometheus.NewGaugeFunc(
			prometheus.GaugeOpts{Namespace: "producer", Name: name, Help: help},
			func() float64 { return float64(read(books.Now())) }))
	}
	counter("messages_accepted_total", "Messages taken from the source.", func(n account.Now) int64 { return n.Accepted })
	counter("messages_acknowledged_total", "Messages the service stored.", func(n account.Now) int64 { return n.Acknowledged })
	counter("messages_retried_total", "Messages sent once more.", func(n account.Now) int64 { return n.Retried })
	counter("messages_failed_total", "Messages given up.", func(n account.Now) int64 { return n.Failed })
	counter("messages_rejected_total", "Messages that cannot be sent.", func(n account.Now) int64 { return n.Rejected })
	counter("messages_maybe_doubled_total", "Most copies that unanswered requests may have left.", func(n account.Now) int64 { return n.MaybeDoubled })
	counter("messages_resent_total", "Messages sent again to their own shard after a reshard.", func(n account.Now) int64 { return n.Resent })
	counter("entries_throttled_total", "Entries refused for a shard's limit.", func(n account.Now) int64 { return n.Throttled })
	counter("answers_lost_total", "Requests that may or may not have been executed.", func(n account.Now) int64 { return n.LostAnswers })
	counter("requests_total", "PutRecords requests.", func(n account.Now) int64 { return n.Requests })
	counter("records_total", "Entries of all requests.", func(n account.Now) int64 { return n.Records })
	counter("payload_units_total", "PUT payload units (25 KiB) of all entries.", func(n account.Now) int64 { return n.PayloadUnits })
	counter("bytes_acknowledged_total", "Bytes of acknowledged messages, keys included.", func(n account.Now) int64 { return n.Bytes })
	gauge("requests_in_flight", "PutRecords requests without an answer yet.", func(n account.Now) int64 { return n.InFlight })
	gauge("buffered_bytes", "Bytes accepted and not settled, overhead included.", func(n account.Now) int64 { return n.Buffered })
	return registry
}
