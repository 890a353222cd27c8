package infra_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestBreaks_AreSeen breaks one thing after another in a copy of the plans and
// runs the check that is meant for it, which must fail and say so: a check that
// cannot fail checks nothing.
func TestBreaks_AreSeen(t *testing.T) {
	all := plans(t)
	models(t)
	built, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range []struct{ check, says, unit, old, broken string }{
		{"TestContainers_EnvironmentIsTheBinarysSettings", "CONSUMER_MESSAGE_TABLE is no setting", "staging-ecs", "CONSUMER_MESSAGES_TABLE", "CONSUMER_MESSAGE_TABLE"},
		{"TestContainers_EnvironmentIsTheBinarysSettings", "LEASEKEEPER_LEASE_TABLE is not set", "staging-ecs", "LEASEKEEPER_LEASE_TABLE", "LEASEKEEPER_TABLE"},
		{"TestContainers_BinaryTakesItsEnvironment", "refuses its settings", "staging-ecs", `CONSUMER_DRAIN_TIMEOUT\",\"value\":\"20s`, `CONSUMER_DRAIN_TIMEOUT\",\"value\":\"soon`},
		{"TestContainers_StopAfterTheDrain", "want at least 5 s more", "staging-ecs", `\"stopTimeout\":30`, `\"stopTimeout\":20`},
		{"TestContainers_HardenedAndPinned", "read-only false", "staging-ecs", `\"readonlyRootFilesystem\":true`, `\"readonlyRootFilesystem\":false`},
		{"TestContainers_HardenedAndPinned", "not of a released version", "staging-ecs", `/consumer:0.1.0`, `/consumer:latest`},
		{"TestContainers_HardenedAndPinned", `user "0:0"`, "staging-ecs", `65532:65532`, `0:0`},
		{"TestRoles_GrantWhatIsCalledAndNoMore", "kinesis:SplitShard is granted, never called", "staging-ecs", `\"kinesis:GetRecords\"`, `\"kinesis:GetRecords\",\"kinesis:SplitShard\"`},
		{"TestRoles_GrantWhatIsCalledAndNoMore", "kinesis:ListShards is called, not granted", "staging-ecs", `,\"kinesis:ListShards\"`, ``},
		{"TestPolicies_NoWildcardWithoutReason", "kinesis:GetRecords on *", "staging-ecs", `arn:aws:kinesis:eu-west-1:123456789012:stream/staging-test\"`, `*\"`},
		{"TestPolicies_NoWildcardWithoutReason", "action kinesis:*", "staging-ecs", `kinesis:GetRecords\"`, `kinesis:*\"`},
		{"TestPolicies_ActionsExistAndMatchTheirResources", "no action ecr:BatchGetImages", "staging-ecs", `ecr:BatchGetImage\"`, `ecr:BatchGetImages\"`},
		{"TestPolicies_ActionsExistAndMatchTheirResources", "kinesis:SubscribeToShard cannot be granted on", "fanout-ecs", `/consumer/consumer:1`, `/consumer`},
		{"TestNetwork_NothingPublicButTheNAT", "gives tasks public addresses", "staging-ecs", `"assign_public_ip":false`, `"assign_public_ip":true`},
		{"TestNetwork_NothingPublicButTheNAT", "hands out public addresses", "staging-vpc", `"map_public_ip_on_launch":false`, `"map_public_ip_on_launch":true`},
		{"TestNetwork_NothingPublicButTheNAT", "lets the internet in", "production-vpc", `"cidr_ipv4":"10.20.0.0/16"`, `"cidr_ipv4":"0.0.0.0/0"`},
		{"TestPlans_ProductionIsProtected", "can be deleted", "production-dynamodb", `"deletion_protection_enabled":true`, `"deletion_protection_enabled":false`},
		{"TestPlans_ProductionIsProtected", "released version be overwritten", "_global-ecr", `"IMMUTABLE"`, `"MUTABLE"`},
		{"TestModels_AWSTakesEveryValue", `"LessThan" is none of`, "staging-ecs", `"LessThanThreshold"`, `"LessThan"`},
		{"TestModels_AWSTakesEveryValue", `"READY" is none of`, "staging-ecs", `\"HEALTHY\"`, `\"READY\"`},
		{"TestModels_AWSTakesEveryValue", "stopTimeOut: is no member", "staging-ecs", "stopTimeout", "stopTimeOut"},
		{"TestModels_AWSTakesEveryValue", "does not match", "staging-kinesis", `"name":"staging-test"`, `"name":"staging !"`},
		{"TestRules_OfTheGuides", "a period of 90 s", "staging-ecs", `"period":900`, `"period":90`},
		{"TestRules_OfTheGuides", "deletes the service", "staging-ecs", `"force_new_deployment":true`, `"force_new_deployment":null`},
		{"TestRules_OfTheGuides", "health check", "staging-ecs", `[\"CMD\"`, `[\"CMD-SHELL\"`},
		{"TestRules_OfTheGuides", "ECS returns capabilities.add", "staging-ecs", `\"add\":[],`, ``},
		{"TestRules_OfTheGuides", "ECS returns mountPoints", "staging-ecs", `\"mountPoints\":[],`, ``},
		{"TestRules_OfTheGuides", "linuxParameters: ECS returns no member without", "staging-ecs", `{\"capabilities\":{\"add\":[],\"drop\":[\"ALL\"]}}`, `{}`},
		{"TestRules_OfTheGuides", "no service with an endpoint", "production-vpc", "eu-west-1.kinesis-streams", "eu-west-1.kinesis"},
		{"TestRules_OfTheGuides", "nothing for 12 days", "staging-ecs", `"retention_in_days":14`, `"retention_in_days":12`},
		{"TestRules_OfTheGuides", "no task of 256", "staging-ecs", `"memory":"512"`, `"memory":"768"`},
		{"TestRules_OfTheGuides", "what EC2 does not take", "staging-ecs", "Tasks: HTTPS", "Tasks – HTTPS"},
		{"TestMetrics_ArePublished", "nobody publishes AWS/Kinesis IteratorAge", "staging-ecs", `"GetRecords.IteratorAgeMilliseconds"`, `"IteratorAgeMilliseconds"`},
		{"TestMetrics_ArePublished", "nobody publishes AWS/Kinesis OutgoingBytes", "staging-ecs", "GetRecords.Bytes", "OutgoingBytes"},
		{"TestMetrics_ArePublished", "nobody publishes AWS/DynamoDB", "staging-dynamodb", `"Operation":"PutItem"`, `"Op":"PutItem"`},
	} {
		t.Run(b.says, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for unit := range all {
				text := readFile(t, filepath.Join(os.Getenv("INFRA_PLANS"), unit+".json"))
				if unit == b.unit && !strings.Contains(text, b.old) {
					t.Fatalf("%s has no %s to break", unit, b.old)
				}
				if unit == b.unit {
					text = strings.ReplaceAll(text, b.old, b.broken)
				}
				if err := os.WriteFile(filepath.Join(dir, unit+".json"), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+regexp.QuoteMeta(b.check)+"$")
			cmd.Env = append(os.Environ(), "INFRA_PLANS="+dir, "INFRA_BIN="+filepath.Dir(built["consumer"].Path))
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), b.says) {
				t.Errorf("%s did not see %s for %s (%v): %s", b.check, b.broken, b.old, err, out)
			}
		})
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
