output "cluster_name" {
  description = "Name of the cluster."
  value       = aws_ecs_cluster.this.name
}

output "service_name" {
  description = "Name of the consumers' service."
  value       = aws_ecs_service.consumer.name
}

output "task_definition_arn" {
  description = "ARN of the consumers' task definition, revision included: what the service should run."
  value       = aws_ecs_task_definition.consumer.arn
}

output "verb_task_definition_arns" {
  description = "ARNs of the task definitions that run the verbs of consumer and leasekeeper, by binary."
  value       = { for binary, definition in aws_ecs_task_definition.verb : binary => definition.arn }
}

output "producer_task_definition_arn" {
  description = "ARN of the producer's task definition; null without one."
  value       = one(aws_ecs_task_definition.producer[*].arn)
}

output "log_group_name" {
  description = "Log group of all containers."
  value       = aws_cloudwatch_log_group.this.name
}

output "security_group_id" {
  description = "Security group of the tasks."
  value       = aws_security_group.tasks.id
}

output "subnet_ids" {
  description = "Subnets of the tasks."
  value       = var.subnet_ids
}

output "task_role_arns" {
  description = "Roles of the tasks, for key and resource policies of your own."
  value       = { consumer = aws_iam_role.consumer.arn, producer = one(aws_iam_role.producer[*].arn) }
}

output "age_metric" {
  description = "Metric of the oldest unread record's age, as the consumers read: its name, then its dimensions, as the AWS CLI takes them."
  value       = join(" ", concat([local.age.metric], [for name, value in local.age.dimensions : "Name=${name},Value=${value}"]))
}

output "dashboard_name" {
  description = "Name of the CloudWatch dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}
