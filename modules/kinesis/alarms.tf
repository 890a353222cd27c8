locals {
  # How old records are when they are read, as GetRecords sees it, and one series
  # for each registered consumer, which GetRecords does not see.
  reader_ages = merge(
    { polling = { metric = "GetRecords.IteratorAgeMilliseconds", dimensions = { StreamName = var.name } } },
    { for name in var.fan_out_consumers : name => {
      metric     = "SubscribeToShardEvent.MillisBehindLatest"
      dimensions = { StreamName = var.name, ConsumerName = name }
    } },
  )
}

resource "aws_cloudwatch_metric_alarm" "age" {
  for_each = local.reader_ages

  alarm_name          = "${var.name}-${each.key}-age"
  alarm_description   = "Records wait long enough that they may be lost at the end of their retention of ${var.retention_hours} hours. See Falling behind in docs/DEPLOY.md."
  namespace           = "AWS/Kinesis"
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = "Maximum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = floor(var.retention_hours * 3600000 * var.iterator_age_alarm_fraction)
  period              = 60
  evaluation_periods  = 5
  treat_missing_data  = "notBreaching" # nobody reads this way; whether anybody reads at all is the service's own alarm
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
}

resource "aws_cloudwatch_metric_alarm" "write_throttled" {
  alarm_name          = "${var.name}-puts-throttled" # a table's is <table>-write-throttled, and a stream may have its name
  alarm_description   = "Producers are refused: a shard takes 1 MB/s or 1000 records/s. Add shards, or spread the partition keys."
  namespace           = "AWS/Kinesis"
  metric_name         = "WriteProvisionedThroughputExceeded"
  dimensions          = { StreamName = var.name }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 15
  datapoints_to_alarm = 5 # a burst is retried by the producer; five minutes of a quarter of an hour is a lack of shards
  treat_missing_data  = "notBreaching"
  alarm_actions       = var.alarm_topic_arns
  ok_actions          = var.alarm_topic_arns
}
