package infra_test

import (
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/infra"
)

// Every metric of an alarm or a graph is one that AWS publishes with exactly
// those dimensions, or one that a metric filter of the same plan makes: any
// other is a graph that stays empty and an alarm that never rings.
func TestMetrics_ArePublished(t *testing.T) {
	named := 0
	for unit, plan := range plans(t) {
		metrics, err := plan.Metrics()
		if err != nil {
			t.Fatal(err)
		}
		own := filtered(plan)
		for address, list := range metrics {
			for _, m := range list {
				named++
				if !m.Published() && (!own[m.Namespace+" "+m.Name] || len(m.Dimensions) > 0) {
					t.Errorf("%s %s: nobody publishes %s", unit, address, m)
				}
			}
		}
		if dashboard := metrics["aws_cloudwatch_dashboard.this"]; len(plan.OfType("aws_ecs_service")) > 0 && len(dashboard) < 10 {
			t.Errorf("%s: the dashboard has %d series, want ten or more", unit, len(dashboard))
		}
	}
	if named < 40 {
		t.Errorf("only %d metrics were found, want 40 or more", named)
	}
}

// filtered returns the metrics that the plan's metric filters make of logs.
func filtered(plan infra.Plan) map[string]bool {
	made := map[string]bool{}
	for _, filter := range plan.OfType("aws_cloudwatch_log_metric_filter") {
		for _, t := range filter.Blocks("metric_transformation") {
			made[t["namespace"].(string)+" "+t["name"].(string)] = true
		}
	}
	return made
}

func TestMetric_Published(t *testing.T) {
	for name, tc := range map[string]struct {
		metric infra.Metric
		want   bool
	}{
		"polling":              {infra.Metric{Namespace: "AWS/Kinesis", Name: "GetRecords.IteratorAgeMilliseconds", Dimensions: []string{"StreamName"}}, true},
		"any order":            {infra.Metric{Namespace: "AWS/Kinesis", Name: "SubscribeToShardEvent.MillisBehindLatest", Dimensions: []string{"StreamName", "ConsumerName"}}, true},
		"shard metric's name":  {infra.Metric{Namespace: "AWS/Kinesis", Name: "IteratorAgeMilliseconds", Dimensions: []string{"StreamName"}}, false},
		"a dimension too many": {infra.Metric{Namespace: "AWS/DynamoDB", Name: "WriteThrottleEvents", Dimensions: []string{"TableName", "Operation"}}, false},
		"a dimension missing":  {infra.Metric{Namespace: "AWS/ECS", Name: "CPUUtilization", Dimensions: []string{"ClusterName"}}, false},
		"other namespace":      {infra.Metric{Namespace: "AWS/Fargate", Name: "CPUUtilization", Dimensions: []string{"ClusterName", "ServiceName"}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tc.metric.Published(); got != tc.want {
				t.Errorf("%s: published %t, want %t", tc.metric, got, tc.want)
			}
		})
	}
}
