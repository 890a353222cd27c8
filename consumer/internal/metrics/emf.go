package metrics

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// The namespace in CloudWatch, and the one dimension there.
const (
	emfNamespace = "KinesisConsumer"
	emfDimension = "Stream"
)

// EMF writes the metrics to w in CloudWatch's embedded metric format, one line
// every so often, until ctx ends, and once more then. Names are those of
// /metrics; the one dimension is the stream, so that two fleets of an account
// stay apart and all tasks of one make one series. Counters are written as
// what was added since the line before, histograms as their mean. The series
// of single shards are left out: each would be a metric to pay for.
func (m *Metrics) EMF(ctx context.Context, w io.Writer, stream string, every time.Duration) error {
	e := emf{metrics: m, stream: stream, last: map[string]float64{}}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return e.write(w, time.Now())
		case <-ticker.C:
			if err := e.write(w, time.Now()); err != nil {
				return err
			}
		}
	}
}

type emf struct {
	metrics *Metrics
	stream  string
	last    map[string]float64 // of each counter
}

type emfMetric struct {
	Name string `json:"Name"`
	Unit string `json:"Unit"`
}

type emfDirective struct {
	Namespace  string      `json:"Namespace"`
	Dimensions [][]string  `json:"Dimensions"`
	Metrics    []emfMetric `json:"Metrics"`
}

func (e *emf) write(w io.Writer, now time.Time) error {
	families, err := e.metrics.registry.Gather()
	if err != nil {
		return fmt.Errorf("gather metrics: %w", err)
	}
	line := map[string]any{emfDimension: e.stream}
	directive := emfDirective{Namespace: emfNamespace, Dimensions: [][]string{{emfDimension}}}
	for _, f := range families {
		if len(f.Metric) != 1 || len(f.Metric[0].Label) > 0 {
			continue
		}
		name := f.GetName()
		value, ok := e.value(name, f)
		if !ok {
			continue
		}
		line[name] = value
		directive.Metrics = append(directive.Metrics, emfMetric{Name: name, Unit: unit(name)})
	}
	line["_aws"] = map[string]any{"Timestamp": now.UnixMilli(), "CloudWatchMetrics": []emfDirective{directive}}
	if err := json.NewEncoder(w).Encode(line); err != nil {
		return fmt.Errorf("write metrics: %w", err)
	}
	return nil
}

// value returns a family's number, and false where there is none.
func (e *emf) value(name string, f *dto.MetricFamily) (float64, bool) {
	metric := f.Metric[0]
	switch f.GetType() {
	case dto.MetricType_COUNTER:
		return e.since(name, metric.GetCounter().GetValue()), true
	case dto.MetricType_GAUGE:
		return metric.GetGauge().GetValue(), true
	case dto.MetricType_HISTOGRAM:
		h := metric.GetHistogram()
		n, sum := e.since(name+" n", float64(h.GetSampleCount())), e.since(name+" sum", h.GetSampleSum())
		if n == 0 {
			return 0, false
		}
		return sum / n, true
	default: // there are no others here
		return 0, false
	}
}

func (e *emf) since(name string, now float64) float64 {
	delta := now - e.last[name]
	e.last[name] = now
	return delta
}

func unit(name string) string {
	switch {
	case strings.Contains(name, "bytes"):
		return "Bytes"
	case strings.HasSuffix(name, "_seconds"):
		return "Seconds"
	case strings.HasSuffix(name, "_milliseconds"):
		return "Milliseconds"
	}
	return "Count"
}
