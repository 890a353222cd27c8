package e2e_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/build"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/prometheus"
)

// What a healthy fleet of three tasks shows, by panel and legend; a panel's own
// name stands for all of its queries. Every query not named here must merely
// return one finite value of 0 or more for each series of its legend.
var healthy = map[string]func(values []float64) bool{
	"Lag":                 each(func(v float64) bool { return v < 60_000 }),
	"Messages":            each(func(v float64) bool { return v > 0 }),
	"Trouble":             each(func(v float64) bool { return v == 0 }),
	"Handler latency":     each(func(v float64) bool { return v > 0 && v < 60 }),
	"Memory/budget":       each(func(v float64) bool { return v > 1<<20 }),
	"Leases held":         func(values []float64) bool { return sum(values) == 3 },
	"Lease validity left": each(func(v float64) bool { return v > 0 && v <= shortLease.Seconds() }),
	"Tables/heartbeats":   each(func(v float64) bool { return v > 0 }),
	"Tables/checkpoints":  each(func(v float64) bool { return v > 0 }),
	"Ready":               each(func(v float64) bool { return v == 1 }),
	"CPU":                 each(func(v float64) bool { return v > 0 && v < 4 }),
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
// in the end, what a healthy fleet shows.
func TestDashboard_Grafana(t *testing.T) {
	t.Parallel()
	path, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("skipped: needs prometheus (apt-get install prometheus)")
	}
	s := start(t, cluster.Options{Lease: shortLease})
	jobs := map[string][]string{}
	for _, task := range s.startTasks(3) {
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

// dashboard reads the queries, with a rate's interval filled in as Grafana does.
func dashboard(t *testing.T) []query {
	t.Helper()
	root, err := build.Root()
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr, LegendFormat string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, filepath.Join(root, "docs", "grafana.json"))), &document); err != nil {
		t.Fatal(err)
	}
	var queries []query
	for _, panel := range document.Panels {
		for _, target := range panel.Targets {
			expression := strings.ReplaceAll(target.Expr, "$__rate_interval", "15s")
			queries = append(queries, query{panel.Title, target.LegendFormat, expression})
		}
	}
	return queries
}
