package e2e_test

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/build"
)

const (
	columns = 24          // of Grafana's grid
	source  = "${source}" // the variable by which an import chooses its Prometheus
)

type grafana struct {
	Templating struct {
		List []struct {
			Name, Type string
			Datasource struct{ UID string }
		}
	}
	Panels []panel
}

type panel struct {
	ID                       int
	Type, Title, Description string
	GridPos                  struct{ X, Y, W, H int }
	Datasource               struct{ UID string }
	FieldConfig              struct {
		Defaults struct {
			Unit       string
			Thresholds struct{ Steps []struct{ Color string } }
		}
		Overrides []struct {
			Matcher    struct{ Options any }
			Properties []struct{ ID string }
		}
	}
	Targets []struct {
		Expr, LegendFormat string
		Instant            bool
	}
}

func loadDashboard(t *testing.T) grafana {
	t.Helper()
	root, err := build.Root()
	if err != nil {
		t.Fatal(err)
	}
	var document grafana
	if err := json.Unmarshal([]byte(read(t, filepath.Join(root, "docs", "grafana.json"))), &document); err != nil {
		t.Fatal(err)
	}
	return document
}

// TestDashboard_Layout holds the Grafana dashboard to what Grafana itself takes
// without a word and a person trips over.
func TestDashboard_Layout(t *testing.T) {
	t.Parallel()
	document := loadDashboard(t)
	variables := map[string]string{}
	for _, v := range document.Templating.List {
		variables[v.Name] = v.Type
		if v.Type == "adhoc" && v.Datasource.UID != source {
			t.Errorf("variable %s: got data source %q, want %q", v.Name, v.Datasource.UID, source)
		}
	}
	if variables["source"] != "datasource" || variables["filter"] != "adhoc" {
		t.Errorf("got variables %v, want source to choose a Prometheus and filter to choose a fleet", variables)
	}
	for i, p := range document.Panels {
		if g := p.GridPos; g.X < 0 || g.Y < 0 || g.W <= 0 || g.H <= 0 || g.X+g.W > columns {
			t.Errorf("%s: got %+v, want it within %d columns", p.Title, g, columns)
		}
		for _, q := range document.Panels[:i] {
			if p.ID == q.ID || p.Title == q.Title || p.overlaps(q) {
				t.Errorf("%s and %s: got the same id, title or place, want each its own", q.Title, p.Title)
			}
		}
		if p.Type != "row" {
			p.explained(t)
		}
	}
}

// TestDashboard_Healthy checks that each expectation of TestDashboard_Grafana is
// of a panel, or a query, that is there.
func TestDashboard_Healthy(t *testing.T) {
	t.Parallel()
	there := map[string]bool{}
	for _, q := range dashboard(t) {
		there[q.Panel], there[q.Panel+"/"+q.Legend] = true, true
	}
	for name := range healthy {
		if !there[name] {
			t.Errorf("%s: want a panel, or a query of one, of this name", name)
		}
	}
}

func (p panel) overlaps(q panel) bool {
	a, b := p.GridPos, q.GridPos
	return a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H
}

// explained checks that a panel says what it shows, in which unit, and asks the
// Prometheus that was chosen.
func (p panel) explained(t *testing.T) {
	t.Helper()
	if p.Title == "" || p.Description == "" || p.FieldConfig.Defaults.Unit == "" || p.Datasource.UID != source || len(p.Targets) == 0 {
		t.Errorf("panel %d %q: want a title, a description, a unit, queries, and the data source %s", p.ID, p.Title, source)
	}
	for _, target := range p.Targets {
		if target.LegendFormat == "" {
			t.Errorf("%s: %s has no legend", p.Title, target.Expr)
		}
		if p.Type == "stat" && (!target.Instant || len(p.FieldConfig.Defaults.Thresholds.Steps) < 2) {
			t.Errorf("%s: want an instant query, which shows nothing stale, and a threshold", p.Title)
		}
	}
	if p.Type == "stat" && len(p.Targets) > 1 {
		p.eachColored(t)
	}
}

// eachColored checks that in a tile of several numbers each after the first
// has thresholds of its own.
func (p panel) eachColored(t *testing.T) {
	t.Helper()
	for _, target := range p.Targets[1:] {
		colored := false
		for _, o := range p.FieldConfig.Overrides {
			colored = colored || o.Matcher.Options == target.LegendFormat && len(o.Properties) > 0 && o.Properties[0].ID == "thresholds"
		}
		if !colored {
			t.Errorf("%s: want thresholds of its own for %s", p.Title, target.LegendFormat)
		}
	}
}

// TestDashboard_Alarms checks that each metric the runbook has an alarm set on
// is at the top of the dashboard, as a number that turns red.
func TestDashboard_Alarms(t *testing.T) {
	t.Parallel()
	root, err := build.Root()
	if err != nil {
		t.Fatal(err)
	}
	shown := ""
	for _, p := range loadDashboard(t).Panels {
		for _, target := range p.Targets {
			if p.Type == "stat" {
				shown += target.Expr + "\n"
			}
		}
	}
	runbook := read(t, filepath.Join(root, "docs", "OPERATIONS.md"))
	alarms := regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\|.*\\*\\*Alarm\\*\\*").FindAllStringSubmatch(runbook, -1)
	if len(alarms) < 6 {
		t.Errorf("found %d alarms in the runbook, want 6 or more", len(alarms))
	}
	for _, alarm := range alarms {
		if !strings.Contains(shown, alarm[1]) {
			t.Errorf("%s: want it among the numbers at the top of the dashboard", alarm[1])
		}
	}
}
