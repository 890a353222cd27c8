package infra_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/infra"
)

func TestRules_OfTheGuides(t *testing.T) {
	rules, held := infra.Rules(), map[string]int{}
	for unit, plan := range plans(t) {
		for _, r := range plan.Resources {
			rule := rules[r.Type]
			if rule == nil {
				continue
			}
			held[r.Type]++
			for _, problem := range rule(r) {
				t.Errorf("%s %s: %s", unit, r.Address, problem)
			}
		}
	}
	for kind := range rules {
		if held[kind] == 0 {
			t.Errorf("no %s was there to be held against its rule", kind)
		}
	}
}

// What an action may be granted on, by service: Service Authorization Reference.
var grantedOn = map[string]*regexp.Regexp{
	"kinesis":  regexp.MustCompile(`^arn:aws:kinesis:[a-z0-9-]+:\d{12}:stream/[a-zA-Z0-9_.-]+$`),
	"dynamodb": regexp.MustCompile(`^arn:aws:dynamodb:[a-z0-9-]+:\d{12}:table/[a-zA-Z0-9_.-]+$`),
	"ecr":      regexp.MustCompile(`^(\*|arn:aws:ecr:[a-z0-9-]+:\d{12}:repository/[a-z0-9/_.-]+)$`),
	"logs":     regexp.MustCompile(`^arn:aws:logs:[a-z0-9-]+:\d{12}:log-group:[^*]+:\*$`),
	"kms":      regexp.MustCompile(`^arn:aws:kms:[a-z0-9-]+:\d{12}:key/.+$`),
}

var streamConsumer = regexp.MustCompile(`^arn:aws:kinesis:[a-z0-9-]+:\d{12}:stream/[^/]+/consumer/[^:]+:\d+$`)

// Not operations, though actions: a key is re-encrypted from and to.
var onlyActions = []string{"kms:ReEncryptFrom", "kms:ReEncryptTo", "ecr:GetDownloadUrlForLayer"}

// Every action exists, and stands on a resource it can be granted on: AWS
// takes a policy with a misspelled action or another service's ARN, and grants nothing.
func TestPolicies_ActionsExistAndMatchTheirResources(t *testing.T) {
	apis, checked := models(t), 0
	for unit, plan := range plans(t) {
		for _, r := range plan.OfType("aws_iam_role_policy") {
			statements, err := r.Statements()
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range statements {
				for _, action := range s.Action {
					checked++
					checkAction(t, apis, unit+" "+r.Address, action, s.Resource)
				}
			}
		}
	}
	if checked < 50 {
		t.Errorf("only %d actions were known at plan time, want 50 or more", checked)
	}
}

func checkAction(t *testing.T, apis *infra.Models, where, action string, resources []string) {
	t.Helper()
	service, operation, _ := strings.Cut(action, ":")
	model, err := apis.Of(service)
	if err != nil {
		t.Errorf("%s: %s: %v", where, action, err)
		return
	}
	if _, there := model.Operations[operation]; !there && !slices.Contains(onlyActions, action) {
		t.Errorf("%s: there is no action %s", where, action)
	}
	pattern := grantedOn[service]
	if action == "kinesis:SubscribeToShard" {
		pattern = streamConsumer
	}
	for _, resource := range resources {
		if pattern == nil || !pattern.MatchString(resource) {
			t.Errorf("%s: %s cannot be granted on %s", where, action, resource)
		}
	}
}
