# DynamoDB has no metric for the number of items, but it times every successful
# write: the count of those times is the number of dead letters written.
resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  alarm_name          = "${var.prefix}dead-letters"
  alarm_description   = "Messages could not be stored and were put aside. See Dead letters in docs/DEPLOY.md."
  namespace           = "AWS/DynamoDB"
  metric_name         = "SuccessfulRequestLatency"
  dimensions          = { TableName = aws_dynamodb_table.this["dead_letters"].name, Operation = "PutItem" }
  statistic           = "SampleCount"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
}

resource "aws_cloudwatch_metric_alarm" "write_throttled" {
  for_each = local.tables

  alarm_name          = "${var.prefix}${each.value.name}-write-throttled"
  alarm_description   = "DynamoDB refuses writes to this table: a partition takes 1000 units a second, and messages what var.max_write_units says."
  namespace           = "AWS/DynamoDB"
  metric_name         = "WriteThrottleEvents"
  dimensions          = { TableName = aws_dynamodb_table.this[each.key].name }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 5
  datapoints_to_alarm = 3 # on-demand tables refuse for a moment while they grow
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
}
