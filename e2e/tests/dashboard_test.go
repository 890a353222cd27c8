package e2e_test

import (
	"fmt"
	"math"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/prometheus"
)

// What a healthy fleet of three tasks shows, by panel and legend; a panel's own
// name stands for all of its queries. Every query not named here must merely
// return one finite value of 0 or more for each series of its legend.
var healthy = map[string]func(values []float64) bool{
	"Tasks ready/ready":                     each(func(v float64) bool { return v == 3 }),
	"Tasks ready/not ready":                 each(func(v float64) bool { return v == 0 }),
	"Worst lag":                             each(func(v float64) bool { return v < 60_000 }),
	"Stalled shards":                        each(func(v float64) bool { return v == 0 }),
	"Dead letters":                          each(func(v float64) bool { return v == 0 }),
	"Lost to retention":                     each(func(v float64) bool { return v == 0 }),
	"Shortest lease validity":               each(func(v float64) bool { return v > 0 && v <= shortLease.Seconds() }),
	"Lag":                                   each(func(v float64) bool { return v < 60_000 }),
	"Messages":                              each(func(v float64) bool { return v > 0 }),
	"Memory for unfinished messages/budget": each(func(v float64) bool { return v > 1<<20 }),
	"Handler latency":                       each(func(v float64) bool { return v > 0 && v < 60 }),
	"Writes that failed":                    each(func(v float64) bool { return v == 0 }),
	"Reads that failed":                     each(func(v float64) bool { return v == 0 }),
	"Shards that stall":                     each(func(v float64) bool { return v == 0 }),
	"Given up or lost":                      each(func(v float64) bool { return v == 0 }),
	"Odd messages":                          each(func(v float64) bool { return v == 0 }),
	"Tasks":                                 each(func(v float64) bool { return v == 3 }),
	"Leases held/{{instance}}":              func(values []float64) bool { return sum(values) == 3 },
	"Leases held/rows in the table":         each(func(v float64) bool { return v == 3 }),
	"Lease validity left":                   each(func(v float64) bool { return v > 0 && v <= shortLease.Seconds() }),
	"Writes to the tables":                  each(func(v float64) bool { return v > 0 }),
	"CPU":                                   each(func(v float64) bool { return v > 0 && v < 4 }),
}

func each(ok func(float64) bool) func([]float64) bool {
	return func(values []float64) bool {
		return !slices.ContainsFunc(values, func(v float64) bool { return !ok(v) })
	}
}

func sum(values []float64) float64 {
	total := 0.0
	for _, v := range values {
		total += v
	}
	return total
}

type query struct{ Panel, Legend, Expression string }

// TestDashboard_Grafana lets a real Prometheus scrape a fleet under load and
// evaluates every query of the Grafana dashboard: each must parse and return,
// in the end, what a healthy fleet shows. A task that loses its consumer is then
// one that is not ready.
func TestDashboard_Grafana(t *testing.T) {
	t.Parallel()
	path, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("skipped: needs prometheus (apt-get install prometheus)")
	}
	s := start(t, cluster.Options{Lease: shortLease})
	jobs := map[string][]string{}
	tasks := s.startTasks(3)
	for _, task := range tasks {
		leasekeeper, consumer := task.URLs()
		jobs["leasekeeper"] = append(jobs["leasekeeper"], strings.TrimPrefix(leasekeeper, "http://"))
		jobs["consumer"] = append(jobs["consumer"], strings.TrimPrefix(consumer, "http://"))
	}
	s.produce(0, 100)
	s.spread(3)
	server, err := prometheus.Start(t.Context(), path, t.TempDir(), jobs)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	queries := dashboard(t)
	if len(queries) < 25 {
		t.Fatalf("found %d queries in the dashboard, want 25 or more", len(queries))
	}
	for _, q := range queries {
		var problem string
		good := func() bool {
			values, err := server.Query(t.Context(), q.Expression)
			if err != nil {
				t.Fatalf("%s: %v", q.Panel, err)
			}
			problem = q.judge(values)
			return problem == ""
		}
		if err := cluster.Until(t.Context(), patience, q.Panel, good); err != nil {
			t.Errorf("%s, %s: %s", q.Panel, q.Legend, problem)
		}
	}
	tasks[2].Consumer().Kill()
	i := slices.IndexFunc(queries, func(q query) bool { return q.Panel == "Tasks ready" && q.Legend == "not ready" })
	s.until("one task is not ready", func() bool {
		values, err := server.Query(t.Context(), queries[i].Expression)
		return err == nil && slices.Equal(values, []float64{1})
	})
}

// judge says what is wrong with the values, if anything.
func (q query) judge(values []float64) string {
	want := 1
	if strings.Contains(q.Legend, "{{instance}}") { // a line for each task
		want = 3
	}
	finite := each(func(v float64) bool { return v >= 0 && !math.IsNaN(v) && !math.IsInf(v, 0) })
	ok := healthy[q.Panel+"/"+q.Legend]
	if ok == nil {
		ok = healthy[q.Panel]
	}
	if len(values) != want || !finite(values) || (ok != nil && !ok(values)) {
		return fmt.Sprintf("%s returned %v, want %d series as of a healthy fleet", q.Expression, values, want)
	}
	return ""
}

// intervals are what Grafana fills in itself.
var intervals = strings.NewReplacer("$__rate_interval", "15s", "$__range", "1m")

// dashboard reads the queries.
func dashboard(t *testing.T) []query {
	t.Helper()
	var queries []query
	for _, panel := range loadDashboard(t).Panels {
		for _, target := range panel.Targets {
			expression := intervals.Replace(target.Expr)
			queries = append(queries, query{panel.Title, target.LegendFormat, expression})
		}
	}
	return queries
}
