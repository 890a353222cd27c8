# One service of tasks with two containers each: consumer and leasekeeper, which
# talk on the task's own loopback. Nothing listens beyond it.
locals {
  # The stream's ARN says where everything is, so the module asks AWS nothing.
  arn       = split(":", var.stream.arn)
  partition = local.arn[1]
  region    = local.arn[3]
  account   = local.arn[4]

  max_tasks = coalesce(var.tasks.max, var.tasks.idle ? null : var.stream.shard_count, var.tasks.initial)
}

resource "aws_ecs_cluster" "this" {
  #checkov:skip=CKV_AWS_65:Container Insights is var.container_insights; the alarms and the dashboard do without its price.
  name = var.name

  setting {
    name  = "containerInsights"
    value = var.container_insights ? "enabled" : "disabled"
  }
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]
}

resource "aws_security_group" "tasks" {
  name        = "${var.name}-tasks"
  description = "Tasks: HTTPS out, nothing in"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-tasks" }
}

resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.tasks.id
  description       = "AWS APIs and image layers; their addresses are many and change"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_ecs_service" "consumer" {
  name            = "consumer"
  cluster         = aws_ecs_cluster.this.arn
  task_definition = aws_ecs_task_definition.consumer.arn
  desired_count   = min(var.tasks.initial, local.max_tasks) # fewer shards since are no reason to refuse

  # New tasks first, then the old ones leave, each handing over what it holds:
  # there is never less capacity than before the roll-out.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  propagate_tags                     = "SERVICE"
  enable_ecs_managed_tags            = true
  force_new_deployment               = true # without it another var.spot_percent would delete the service and make it anew

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  dynamic "capacity_provider_strategy" {
    for_each = { for provider, weight in { FARGATE = 100 - var.spot_percent, FARGATE_SPOT = var.spot_percent } : provider => weight if weight > 0 }

    content {
      capacity_provider = capacity_provider_strategy.key
      weight            = capacity_provider_strategy.value
    }
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [aws_security_group.tasks.id]
    assign_public_ip = false
  }

  lifecycle {
    ignore_changes = [desired_count] # autoscaling, or task scale
  }

  depends_on = [
    aws_ecs_cluster_capacity_providers.this,
    aws_iam_role_policy.consumer,
    aws_iam_role_policy.execution,
    aws_vpc_security_group_egress_rule.https,
  ]
}

resource "aws_ecs_service" "producer" {
  count = var.producer == "service" ? 1 : 0

  name                    = "producer"
  cluster                 = aws_ecs_cluster.this.arn
  task_definition         = aws_ecs_task_definition.producer[0].arn
  desired_count           = 1
  propagate_tags          = "SERVICE"
  enable_ecs_managed_tags = true
  force_new_deployment    = true

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  capacity_provider_strategy {
    capacity_provider = "FARGATE"
    weight            = 1
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [aws_security_group.tasks.id]
    assign_public_ip = false
  }

  depends_on = [
    aws_ecs_cluster_capacity_providers.this,
    aws_iam_role_policy.producer,
    aws_iam_role_policy.execution,
    aws_vpc_security_group_egress_rule.https,
  ]
}
