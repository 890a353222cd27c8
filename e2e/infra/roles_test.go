package infra_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/infra"
)

func contextOfTests() context.Context { return context.Background() }

// A stream consumer is registered by Terraform and named to the binary by its
// ARN, so no task needs these, though the code could call them.
var neverCalled = []string{"kinesis:RegisterStreamConsumer", "kinesis:DescribeStreamConsumer"}

func TestRoles_GrantWhatIsCalledAndNoMore(t *testing.T) {
	called := map[string]map[string]bool{}
	for _, module := range modules {
		calls, err := infra.Calls(filepath.Join(root, module))
		if err != nil {
			t.Fatal(err)
		}
		if len(calls) == 0 {
			t.Fatalf("found no AWS call in %s", module)
		}
		called[module] = calls
	}
	for unit, plan := range tasks(t) {
		t.Run(unit, func(t *testing.T) {
			compare(t, plan, "consumer", union(called["consumer"], called["leasekeeper"]))
			containers, err := plan.Containers()
			if err != nil {
				t.Fatal(err)
			}
			if containers["producer"].Name != "" {
				compare(t, plan, "producer", called["producer"])
			}
		})
	}
}

func compare(t *testing.T, plan infra.Plan, role string, called map[string]bool) {
	t.Helper()
	granted, err := plan.Granted(role, "kinesis", "dynamodb")
	if err != nil {
		t.Fatal(err)
	}
	containers, err := plan.Containers()
	if err != nil {
		t.Fatal(err)
	}
	unused := neverCalled
	if containers["consumer"].Variables()["CONSUMER_READ_MODE"] != "fanout" {
		unused = append(slices.Clone(unused), "kinesis:SubscribeToShard")
	}
	for action := range called {
		if !granted[action] && !slices.Contains(unused, action) {
			t.Errorf("role %s: %s is called, not granted", role, action)
		}
	}
	for action := range granted {
		if !called[action] || slices.Contains(unused, action) {
			t.Errorf("role %s: %s is granted, never called", role, action)
		}
	}
}

func union(a, b map[string]bool) map[string]bool {
	all := map[string]bool{}
	for _, set := range []map[string]bool{a, b} {
		for key := range set {
			all[key] = true
		}
	}
	return all
}

// The only actions that may be granted on everything, because they know no
// resource.
var onEverything = []string{"ecr:GetAuthorizationToken"}

func TestPolicies_NoWildcardWithoutReason(t *testing.T) {
	checked := 0
	for unit, plan := range plans(t) {
		for _, kind := range []string{"aws_iam_role_policy", "aws_iam_policy", "aws_ecr_repository_policy"} {
			for _, r := range plan.OfType(kind) {
				statements, err := r.Statements()
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range statements {
					checked++
					for _, problem := range wildcards(s) {
						t.Errorf("%s %s %s: %s", unit, r.Address, s.Sid, problem)
					}
				}
			}
		}
		if attached := plan.OfType("aws_iam_role_policy_attachment"); len(attached) > 0 {
			t.Errorf("%s: %s attaches a policy nobody here has written", unit, attached[0].Address)
		}
	}
	if checked < 10 {
		t.Errorf("only %d statements were known at plan time, want 10 or more", checked)
	}
}

func wildcards(s infra.Statement) []string {
	var problems []string
	for _, action := range s.Action {
		if strings.Contains(action, "*") {
			problems = append(problems, "action "+action)
		}
	}
	for _, resource := range s.Resource {
		bare := strings.TrimSuffix(resource, ":*") // the streams of one log group
		if !strings.Contains(bare, "*") {
			continue
		}
		for _, action := range s.Action {
			if resource != "*" || !slices.Contains(onEverything, action) {
				problems = append(problems, action+" on "+resource)
			}
		}
	}
	return problems
}
