package infra_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/infra"
)

// root of the repository, from this package's folder.
const root = "../.."

// plans reads every plan `task infra:test` has made, by environment-unit.
func plans(t *testing.T) map[string]infra.Plan {
	t.Helper()
	dir := os.Getenv("INFRA_PLANS")
	if dir == "" {
		t.Skip("INFRA_PLANS is not set: task infra:test makes the plans and runs this")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no plan in %s", dir)
	}
	all := map[string]infra.Plan{}
	for _, file := range files {
		plan, err := infra.ReadPlan(file)
		if err != nil {
			t.Fatal(err)
		}
		all[plan.Unit] = plan
	}
	return all
}

// tasks returns the plans that make task definitions.
func tasks(t *testing.T) map[string]infra.Plan {
	t.Helper()
	found := map[string]infra.Plan{}
	for unit, plan := range plans(t) {
		if strings.HasSuffix(unit, "-ecs") {
			found[unit] = plan
		}
	}
	if len(found) < 2 {
		t.Fatalf("got %d plans of tasks, want staging and production at least", len(found))
	}
	return found
}

func TestPlans_EveryUnitOfBothEnvironments(t *testing.T) {
	all := plans(t)
	for _, unit := range []string{
		"_global-ecr", "staging-vpc", "staging-kinesis", "staging-dynamodb", "staging-ecs",
		"production-vpc", "production-kinesis", "production-dynamodb", "production-ecs",
	} {
		if _, planned := all[unit]; !planned {
			t.Errorf("%s was not planned", unit)
		}
	}
}

func TestPlans_ProductionIsProtected(t *testing.T) {
	tables := plans(t)["production-dynamodb"].OfType("aws_dynamodb_table")
	if len(tables) != 4 {
		t.Fatalf("got %d tables, want 4", len(tables))
	}
	for _, table := range tables {
		if table.Values["deletion_protection_enabled"] != true {
			t.Errorf("%s can be deleted", table.Address)
		}
		history := table.Blocks("point_in_time_recovery")
		if workers := strings.HasSuffix(table.Text("name"), "workers"); !workers && history[0]["enabled"] != true {
			t.Errorf("%s keeps no history", table.Address)
		}
	}
	for _, repository := range plans(t)["_global-ecr"].OfType("aws_ecr_repository") {
		if repository.Text("image_tag_mutability") != "IMMUTABLE" {
			t.Errorf("%s lets a released version be overwritten", repository.Address)
		}
	}
}
