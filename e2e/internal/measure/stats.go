// Package measure takes the published figures: failover, handoff, deployment,
// resharding and cost, each from outside, at the tap and at localaws's counters.
package measure

import (
	"fmt"
	"math"
	"sort"
	"time"
)

// Durations is a sample of durations.
type Durations []time.Duration

// Quantile returns the q-quantile by nearest rank; 0 of an empty sample.
func (d Durations) Quantile(q float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	sorted := append(Durations(nil), d...)
	sort.Slice(sorted, func(i, j int) bool { return sorted[i] < sorted[j] })
	rank := int(math.Ceil(q*float64(len(sorted)))) - 1
	return sorted[min(max(rank, 0), len(sorted)-1)]
}

// Max returns the longest.
func (d Durations) Max() time.Duration { return d.Quantile(1) }

// Row is the sample as cells of a Markdown table: n, min, p50, p90, p99, max.
func (d Durations) Row() string {
	return fmt.Sprintf("%d | %s | %s | %s | %s | %s", len(d),
		Text(d.Quantile(0)), Text(d.Quantile(0.5)), Text(d.Quantile(0.9)), Text(d.Quantile(0.99)), Text(d.Max()))
}

// Text writes a duration for a table: milliseconds below a second, else seconds.
func Text(d time.Duration) string {
	if d < time.Second && d > -time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}
