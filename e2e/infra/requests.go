package infra

// Request is a call the AWS provider makes for a resource. Names maps arguments
// to members where they are called differently.
type Request struct {
	Service, Operation string
	Names              map[string]string
}

// Requests returns the calls that take the arguments of a resource of that type.
func Requests(kind string) []Request {
	return map[string][]Request{
		"aws_appautoscaling_policy": {{"application-autoscaling", "PutScalingPolicy", map[string]string{
			"name": "PolicyName", "step_scaling_policy_configuration.step_adjustment": "StepAdjustments",
		}}},
		"aws_appautoscaling_target": {{"application-autoscaling", "RegisterScalableTarget", nil}},
		"aws_cloudwatch_dashboard":  {{"cloudwatch", "PutDashboard", nil}},
		"aws_cloudwatch_log_group":  {{"logs", "CreateLogGroup", map[string]string{"name": "logGroupName"}}},
		"aws_cloudwatch_log_metric_filter": {{"logs", "PutMetricFilter", map[string]string{
			"name": "filterName", "pattern": "filterPattern", "metric_transformation": "metricTransformations",
			"metric_transformation.name": "metricName", "metric_transformation.namespace": "metricNamespace", "metric_transformation.value": "metricValue",
		}}},
		"aws_cloudwatch_metric_alarm": {{"cloudwatch", "PutMetricAlarm", map[string]string{
			"metric_query": "Metrics", "metric_query.metric": "MetricStat",
		}}},
		"aws_dynamodb_table": {
			{"dynamodb", "CreateTable", map[string]string{
				"name": "TableName", "attribute": "AttributeDefinitions", "attribute.name": "AttributeName", "attribute.type": "AttributeType",
			}},
			{"dynamodb", "UpdateTimeToLive", map[string]string{"ttl": "TimeToLiveSpecification"}},
		},
		"aws_ecr_lifecycle_policy": {{"ecr", "PutLifecyclePolicy", map[string]string{"repository": "repositoryName", "policy": "lifecyclePolicyText"}}},
		"aws_ecr_repository":       {{"ecr", "CreateRepository", map[string]string{"name": "repositoryName"}}},
		"aws_ecs_cluster":          {{"ecs", "CreateCluster", map[string]string{"name": "clusterName", "setting": "settings"}}},
		"aws_ecs_cluster_capacity_providers": {{"ecs", "PutClusterCapacityProviders", map[string]string{
			"cluster_name": "cluster", "default_capacity_provider_strategy": "defaultCapacityProviderStrategy",
		}}},
		"aws_ecs_service": {{"ecs", "CreateService", map[string]string{
			"name": "serviceName", "deployment_minimum_healthy_percent": "minimumHealthyPercent", "deployment_maximum_percent": "maximumPercent",
		}}},
		"aws_ecs_task_definition": {{"ecs", "RegisterTaskDefinition", nil}},
		"aws_eip":                 {{"ec2", "AllocateAddress", nil}},
		"aws_flow_log":            {{"ec2", "CreateFlowLogs", nil}},
		"aws_iam_role":            {{"iam", "CreateRole", map[string]string{"name": "RoleName", "assume_role_policy": "AssumeRolePolicyDocument"}}},
		"aws_iam_role_policy":     {{"iam", "PutRolePolicy", map[string]string{"name": "PolicyName", "policy": "PolicyDocument", "role": "RoleName"}}},
		"aws_kinesis_stream": {
			{"kinesis", "CreateStream", map[string]string{"name": "StreamName"}},
			{"kinesis", "EnableEnhancedMonitoring", map[string]string{"name": "StreamName"}},
			{"kinesis", "StartStreamEncryption", map[string]string{"kms_key_id": "KeyId"}},
		},
		"aws_kinesis_stream_consumer": {{"kinesis", "RegisterStreamConsumer", map[string]string{"name": "ConsumerName"}}},
		"aws_vpc_endpoint":            {{"ec2", "CreateVpcEndpoint", nil}},
	}[kind]
}
