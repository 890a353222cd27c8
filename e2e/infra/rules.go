package infra

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Rules that AWS states in its guides and neither its API models nor the
// provider's schema hold. Each returns what AWS would refuse, or do otherwise
// than meant, in one resource.
func Rules() map[string]func(Resource) []string {
	return map[string]func(Resource) []string{
		"aws_cloudwatch_log_group":            retention,
		"aws_cloudwatch_metric_alarm":         alarmPeriods,
		"aws_ecs_service":                     strategyInPlace,
		"aws_ecs_task_definition":             func(r Resource) []string { return append(fargate(r), returned(r)...) },
		"aws_kinesis_stream":                  kinesisRetention,
		"aws_security_group":                  groupTexts,
		"aws_vpc_endpoint":                    endpointService,
		"aws_vpc_security_group_egress_rule":  groupTexts,
		"aws_vpc_security_group_ingress_rule": groupTexts,
	}
}

func number(v any) int { f, _ := v.(float64); return int(f) }

// API reference of CloudWatch Logs, PutRetentionPolicy.
func retention(r Resource) []string {
	kept := []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
	if days := number(r.Values["retention_in_days"]); !slices.Contains(kept, days) {
		return []string{fmt.Sprintf("CloudWatch Logs keeps nothing for %d days", days)}
	}
	return nil
}

// API reference of CloudWatch, PutMetricAlarm: a period is 10, 20, 30 or a
// multiple of 60, and all of them together at most a day.
func alarmPeriods(r Resource) []string {
	periods := []int{number(r.Values["period"])}
	for _, query := range r.Blocks("metric_query") {
		for _, metric := range (Resource{Values: query}).Blocks("metric") {
			periods = append(periods, number(metric["period"]))
		}
	}
	var problems []string
	evaluated, breaching := number(r.Values["evaluation_periods"]), number(r.Values["datapoints_to_alarm"])
	for _, period := range periods {
		if period%60 != 0 && !slices.Contains([]int{10, 20, 30}, period) {
			problems = append(problems, fmt.Sprintf("a period of %d s", period))
		}
		if period*evaluated > 86400 {
			problems = append(problems, fmt.Sprintf("%d periods of %d s are more than a day", evaluated, period))
		}
	}
	if breaching > evaluated {
		problems = append(problems, fmt.Sprintf("%d of %d datapoints", breaching, evaluated))
	}
	return problems
}

// The provider replaces a service whose strategy changes, unless it may start a
// new deployment.
func strategyInPlace(r Resource) []string {
	if len(r.Blocks("capacity_provider_strategy")) > 0 && r.Values["force_new_deployment"] != true {
		return []string{"a changed capacity provider strategy deletes the service: want force_new_deployment"}
	}
	return nil
}

// API reference of Kinesis, IncreaseStreamRetentionPeriod.
func kinesisRetention(r Resource) []string {
	if hours := number(r.Values["retention_period"]); hours < 24 || hours > 8760 {
		return []string{fmt.Sprintf("Kinesis keeps nothing for %d hours", hours)}
	}
	return nil
}

// API reference of EC2, CreateSecurityGroup.
var groupText = regexp.MustCompile(`^[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{1,255}$`)

func groupTexts(r Resource) []string {
	var problems []string
	for _, key := range []string{"name", "description"} {
		if text := r.Text(key); text != "" && !groupText.MatchString(text) {
			problems = append(problems, fmt.Sprintf("%s %q has what EC2 does not take", key, text))
		}
	}
	if strings.HasPrefix(r.Text("name"), "sg-") {
		problems = append(problems, "a name may not begin with sg-")
	}
	return problems
}

// AWS PrivateLink Guide, "AWS services that integrate with AWS PrivateLink".
func endpointService(r Resource) []string {
	services := map[string][]string{
		"Gateway":   {"dynamodb", "s3"},
		"Interface": {"kinesis-streams", "ecr.api", "ecr.dkr", "logs", "monitoring", "kms", "sts"},
	}
	parts := strings.SplitN(r.Text("service_name"), ".", 4) // com.amazonaws.<region>.<service>
	kind := r.Text("vpc_endpoint_type")
	if len(parts) != 4 || !slices.Contains(services[kind], parts[3]) {
		return []string{fmt.Sprintf("%s is no service with an endpoint of type %s", r.Text("service_name"), kind)}
	}
	return nil
}
