# Every task reports its CPU once a minute: the count of reports is the number
# of running tasks, without the price of Container Insights.
resource "aws_cloudwatch_metric_alarm" "tasks_missing" {
  alarm_name          = "${var.name}-tasks-missing"
  alarm_description   = "Fewer tasks run than the least that should. task status says why the last ones stopped."
  namespace           = "AWS/ECS"
  metric_name         = "CPUUtilization"
  dimensions          = local.service_dimensions
  statistic           = "SampleCount"
  comparison_operator = "LessThanThreshold"
  threshold           = var.tasks.min
  period              = 60
  evaluation_periods  = 5
  treat_missing_data  = "breaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns

  lifecycle {
    ignore_changes = [actions_enabled] # task scale COUNT=0 silences it until another COUNT
  }
}

# The age alarms are blind when nobody reads at all: no call, no age. A consumer
# asks every shard it holds at least every few seconds, records or none, so no
# call in five minutes means that no task holds a shard.
resource "aws_cloudwatch_metric_alarm" "nobody_reads" {
  alarm_name          = "${var.name}-nobody-reads"
  alarm_description   = "Nobody asks the stream for records: no task holds a shard. task status shows who should."
  namespace           = "AWS/Kinesis"
  metric_name         = local.age.calls
  dimensions          = local.age.dimensions
  statistic           = "SampleCount"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 60
  evaluation_periods  = 5
  treat_missing_data  = "breaching" # no call is no data, never a zero
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns

  lifecycle {
    ignore_changes = [actions_enabled] # task scale COUNT=0 silences it until another COUNT
  }
}

resource "aws_cloudwatch_metric_alarm" "memory" {
  alarm_name          = "${var.name}-memory"
  alarm_description   = "A task is near the end of its memory. Give var.task more, or the consumer a smaller byte budget."
  namespace           = "AWS/ECS"
  metric_name         = "MemoryUtilization"
  dimensions          = local.service_dimensions
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 85
  period              = 60
  evaluation_periods  = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
}

# Settings that are refused are told in plain text and count for nothing here:
# such a task never runs, which the roll-out and tasks-missing notice.
resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "${var.name}-errors"
  alarm_description   = "The binaries have logged three errors or more in a quarter of an hour. task logs shows them."
  namespace           = aws_cloudwatch_log_metric_filter.errors.metric_transformation[0].namespace
  metric_name         = aws_cloudwatch_log_metric_filter.errors.metric_transformation[0].name
  statistic           = "Sum"
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 3
  period              = 900
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
}
