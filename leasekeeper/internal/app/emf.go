package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/keeper"
)

const (
	emfNamespace = "KinesisLeasekeeper" // of CloudWatch
	emfDimension = "Stream"             // the only one
	emfEvery     = time.Minute
)

// emf writes the counts in CloudWatch's embedded metric format, one line each
// time: counters as what was added since the line before. Names are those of
// /metrics; the one dimension is the stream, so that two fleets of an account
// stay apart and all tasks of one make one series.
type emf struct {
	w      io.Writer
	stream string
	series []series
	last   map[string]float64 // of each counter
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

// newEMF returns an emf over all series of a stream's leasekeeper.
func newEMF(w io.Writer, stream string) *emf {
	return &emf{w: w, stream: stream, series: allSeries(), last: make(map[string]float64)}
}

// export writes lines in the background until the returned function is called,
// which waits for the last one under way and leaves the emf to its caller.
func (e *emf) export(ctx context.Context, source counter, ticks <-chan time.Time, log zerolog.Logger) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-ctx.Done():
				return
			case now := <-ticks:
				counts, err := source.Counts(ctx)
				if err != nil {
					return // the loop has ended
				}
				if err := e.write(&counts, now); err != nil {
					log.Warn().Err(err).Msg("metrics are not written any more")
					return
				}
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}
}

func (e *emf) write(counts *keeper.Counts, now time.Time) error {
	line := make(map[string]any, len(e.series)+2)
	line[emfDimension] = e.stream
	directive := emfDirective{Namespace: emfNamespace, Dimensions: [][]string{{emfDimension}}}
	for _, s := range e.series {
		value := s.value(counts)
		if s.kind == prometheus.CounterValue {
			value, e.last[s.name] = value-e.last[s.name], value
		}
		line[s.name] = value
		directive.Metrics = append(directive.Metrics, emfMetric{Name: s.name, Unit: emfUnit(s.name)})
	}
	line["_aws"] = map[string]any{"Timestamp": now.UnixMilli(), "CloudWatchMetrics": []emfDirective{directive}}
	if err := json.NewEncoder(e.w).Encode(line); err != nil {
		return fmt.Errorf("write metrics: %w", err)
	}
	return nil
}

func emfUnit(name string) string {
	if strings.HasSuffix(name, "_seconds") {
		return "Seconds"
	}
	return "Count"
}
