locals {
  # The age of the oldest unread record, as the way of reading reports it.
  age = var.stream.fan_out == null ? {
    metric     = "GetRecords.IteratorAgeMilliseconds"
    calls      = "GetRecords.Success"
    dimensions = { StreamName = var.stream.name }
    } : {
    metric     = "SubscribeToShardEvent.MillisBehindLatest"
    calls      = "SubscribeToShardEvent.Success"
    dimensions = { StreamName = var.stream.name, ConsumerName = var.stream.fan_out.name }
  }
  service_dimensions = { ClusterName = var.name, ServiceName = aws_ecs_service.consumer.name }
}

resource "aws_appautoscaling_target" "tasks" {
  service_namespace  = "ecs"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${aws_ecs_service.consumer.name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = var.tasks.min
  max_capacity       = local.max_tasks

  lifecycle {
    ignore_changes = [suspended_state] # task scale COUNT=0 suspends it until another COUNT
  }
}

resource "aws_appautoscaling_policy" "out" {
  name               = "${var.name}-out"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.tasks.service_namespace
  resource_id        = aws_appautoscaling_target.tasks.resource_id
  scalable_dimension = aws_appautoscaling_target.tasks.scalable_dimension

  step_scaling_policy_configuration {
    adjustment_type         = "ChangeInCapacity"
    metric_aggregation_type = "Maximum"
    cooldown                = 120 # a new task needs about a minute to start and take its shards

    step_adjustment {
      metric_interval_lower_bound = 0
      metric_interval_upper_bound = var.scale.out_age_seconds * 4000
      scaling_adjustment          = 1
    }

    step_adjustment {
      metric_interval_lower_bound = var.scale.out_age_seconds * 4000
      scaling_adjustment          = 2
    }
  }
}

resource "aws_appautoscaling_policy" "in" {
  name               = "${var.name}-in"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.tasks.service_namespace
  resource_id        = aws_appautoscaling_target.tasks.resource_id
  scalable_dimension = aws_appautoscaling_target.tasks.scalable_dimension

  step_scaling_policy_configuration {
    adjustment_type         = "ChangeInCapacity"
    metric_aggregation_type = "Minimum"
    cooldown                = 900

    step_adjustment {
      metric_interval_lower_bound = 0
      scaling_adjustment          = -1
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "behind" {
  alarm_name          = "${var.name}-scale-out"
  alarm_description   = "The consumers are behind; one or two more tasks are started."
  namespace           = "AWS/Kinesis"
  metric_name         = local.age.metric
  dimensions          = local.age.dimensions
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.scale.out_age_seconds * 1000
  period              = 60
  evaluation_periods  = 2
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_appautoscaling_policy.out.arn]
}

# Young records alone do not mean idle tasks: three busy ones keep up where two
# would not. So the CPU must be low as well.
resource "aws_cloudwatch_metric_alarm" "idle" {
  alarm_name          = "${var.name}-scale-in"
  alarm_description   = "The consumers keep up with CPU to spare; one task is stopped."
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  evaluation_periods  = var.scale.in_minutes
  datapoints_to_alarm = var.scale.in_minutes
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_appautoscaling_policy.in.arn]

  metric_query {
    id          = "idle"
    label       = "idle"
    expression  = "IF(age < ${var.scale.in_age_seconds * 1000} AND cpu < ${var.scale.in_cpu_percent}, 1, 0)"
    return_data = true
  }

  metric_query {
    id = "age"

    metric {
      namespace   = "AWS/Kinesis"
      metric_name = local.age.metric
      dimensions  = local.age.dimensions
      stat        = "Maximum"
      period      = 60
    }
  }

  metric_query {
    id = "cpu"

    metric {
      namespace   = "AWS/ECS"
      metric_name = "CPUUtilization"
      dimensions  = local.service_dimensions
      stat        = "Average"
      period      = 60
    }
  }
}
