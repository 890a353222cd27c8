package infra_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/infra"
)

// models opens AWS's models of its APIs, or skips.
func models(t *testing.T) *infra.Models {
	t.Helper()
	m, err := infra.OpenModels()
	if errors.Is(err, infra.ErrNoModels) && os.Getenv("INFRA_REQUIRE") == "" {
		t.Skipf("skipped: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// AWS itself would take every value: enums, patterns, lengths, bounds, and in
// JSON documents every member's name.
func TestModels_AWSTakesEveryValue(t *testing.T) {
	all, apis, checked := plans(t), models(t), 0
	for unit, plan := range all {
		for _, r := range plan.Resources {
			for _, request := range infra.Requests(r.Type) {
				model, err := apis.Of(request.Service)
				if err != nil {
					t.Fatal(err)
				}
				problems, n := model.CheckCall(request.Operation, r.Values, request.Names)
				for _, problem := range problems {
					t.Errorf("%s %s: %s", unit, r.Address, problem)
				}
				checked += n
			}
		}
	}
	t.Logf("%d values compared", checked)
	if want := 100 * len(all) / 2; checked < want {
		t.Errorf("only %d values were compared, want %d or more", checked, want)
	}
}

func TestModel_CheckCallRefuses(t *testing.T) {
	apis := models(t)
	for name, tc := range map[string]struct {
		service, operation string
		values             map[string]any
		want               string
	}{
		"enum":              {"cloudwatch", "PutMetricAlarm", map[string]any{"comparison_operator": "GreaterThan"}, "none of"},
		"length":            {"iam", "CreateRole", map[string]any{"role_name": strings.Repeat("x", 65)}, "got 65 characters, want 1 to 64"},
		"pattern":           {"kinesis", "CreateStream", map[string]any{"stream_name": "a b"}, "does not match"},
		"bound":             {"ecs", "CreateService", map[string]any{"capacity_provider_strategy": []any{map[string]any{"weight": 1001.0}}}, "0 to 1000"},
		"nested":            {"ecs", "CreateService", map[string]any{"network_configuration": []any{map[string]any{"assign_public_ip": "YES"}}}, "none of [ENABLED DISABLED]"},
		"list":              {"kinesis", "EnableEnhancedMonitoring", map[string]any{"shard_level_metrics": []any{"Bytes"}}, "none of"},
		"document":          {"ecs", "RegisterTaskDefinition", map[string]any{"container_definitions": `[{"name":"a","stopTimeOut":3}]`}, "stopTimeOut: is no member"},
		"enum in document":  {"ecs", "RegisterTaskDefinition", map[string]any{"container_definitions": `[{"dependsOn":[{"containerName":"b","condition":"READY"}]}]`}, `"READY" is none of`},
		"no document":       {"ecs", "RegisterTaskDefinition", map[string]any{"container_definitions": "[{"}, "is no JSON"},
		"required":          {"ecs", "RegisterTaskDefinition", map[string]any{"container_definitions": `[{"healthCheck":{}}]`}, "command is required"},
		"no such operation": {"ecs", "MakeService", nil, "no operation"},
	} {
		t.Run(name, func(t *testing.T) {
			model, err := apis.Of(tc.service)
			if err != nil {
				t.Fatal(err)
			}
			problems, _ := model.CheckCall(tc.operation, tc.values, nil)
			if !slices.ContainsFunc(problems, func(p string) bool { return strings.Contains(p, tc.want) }) {
				t.Errorf("got %q, want one to contain %q", problems, tc.want)
			}
		})
	}
}
