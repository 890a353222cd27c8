locals {
  # What is read, as the way of reading reports it; local.age has the dimensions.
  reading = var.stream.fan_out == null ? {
    records = "GetRecords.Records", bytes = "GetRecords.Bytes", refused = "ReadProvisionedThroughputExceeded"
    } : {
    records = "SubscribeToShardEvent.Records", bytes = "SubscribeToShardEvent.Bytes", refused = "SubscribeToShard.RateExceeded"
  }
  reader  = flatten([for key, value in local.age.dimensions : [key, value]])
  service = ["ClusterName", var.name, "ServiceName", "consumer"]

  # Title, unit, how to aggregate, the series and their names, and the values at
  # which something happens, of each graph, three to a row.
  graphs = [
    { title = "Age of the oldest unread record", unit = "ms", stat = "Maximum", metrics = [
      concat(["AWS/Kinesis", local.age.metric], local.reader, [{ label = "age" }]),
    ], marks = { "one more task" = var.scale.out_age_seconds * 1000 } },
    { title = "Records in and out", unit = "a minute", stat = "Sum", metrics = [
      ["AWS/Kinesis", "IncomingRecords", "StreamName", var.stream.name, { label = "put" }],
      concat(["AWS/Kinesis", local.reading.records], local.reader, [{ label = "read" }]),
    ], marks = {} },
    { title = "Throttled", unit = "a minute", stat = "Sum", metrics = [
      ["AWS/Kinesis", "WriteProvisionedThroughputExceeded", "StreamName", var.stream.name, { label = "producers, by Kinesis" }],
      concat(["AWS/Kinesis", local.reading.refused], local.reader, [{ label = "readers, by Kinesis" }]),
      ["AWS/DynamoDB", "WriteThrottleEvents", "TableName", var.tables.messages.name, { label = "consumers, by DynamoDB" }],
    ], marks = {} },
    { title = "Running tasks", unit = "tasks", stat = "SampleCount", metrics = [
      concat(["AWS/ECS", "CPUUtilization"], local.service, [{ label = "running" }]),
    ], marks = { "least" = var.tasks.min, "most" = local.max_tasks } },
    { title = "CPU and memory of the tasks", unit = "%", stat = "Average", metrics = [
      concat(["AWS/ECS", "CPUUtilization"], local.service, [{ label = "CPU, on average" }]),
      concat(["AWS/ECS", "MemoryUtilization"], local.service, [{ label = "memory, the fullest", stat = "Maximum" }]),
    ], marks = { "memory alarm" = aws_cloudwatch_metric_alarm.memory.threshold } },
    { title = "Write units", unit = "a minute", stat = "Sum", metrics = [
      for table in ["messages", "leases", "workers"] : ["AWS/DynamoDB", "ConsumedWriteCapacityUnits", "TableName", var.tables[table].name, { label = table }]
    ], marks = {} },
    { title = "Dead letters", unit = "a minute", stat = "SampleCount", metrics = [
      ["AWS/DynamoDB", "SuccessfulRequestLatency", "TableName", var.tables.dead_letters.name, "Operation", "PutItem", { label = "dead letters" }],
    ], marks = {} },
    { title = "Errors logged", unit = "a minute", stat = "Sum", metrics = [
      ["terraform-ecs-kinesis", "${var.name}-errors", { label = "errors" }],
    ], marks = {} },
    { title = "Bytes in and out", unit = "a minute", stat = "Sum", metrics = [
      ["AWS/Kinesis", "IncomingBytes", "StreamName", var.stream.name, { label = "put" }],
      concat(["AWS/Kinesis", local.reading.bytes], local.reader, [{ label = "read" }]),
    ], marks = {} },
  ]

  advice = <<-EOT
    **${var.name}**: `task status ENV=${var.name}` shows the tasks, why the last ones stopped, and who holds each shard; `task logs ENV=${var.name}` what they say. By alarm: docs/DEPLOY.md, by symptom: docs/OPERATIONS.md.
    - **The age rises**: writes throttled by DynamoDB: raise `max_write_units`. CPU full: larger tasks, or more, up to one a shard. Neither: look for one hot shard.
    - **No age, no records read, fewer tasks than the least**: nobody reads. The status has the reason.
    - **Dead letters**: mend the cause, then run the consumer's verb `redrive`.
  EOT
  alarms = [for alarm in [
    aws_cloudwatch_metric_alarm.tasks_missing, aws_cloudwatch_metric_alarm.nobody_reads, aws_cloudwatch_metric_alarm.memory, aws_cloudwatch_metric_alarm.errors,
  ] : "arn:${local.partition}:cloudwatch:${local.region}:${local.account}:alarm:${alarm.alarm_name}"]
  top = 6 # height of what stands above the graphs
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    start          = "-PT3H"
    periodOverride = "inherit" # counts are those of a minute, however long the time shown
    widgets = concat(
      [
        { type = "text", x = 0, y = 0, width = 16, height = local.top, properties = { markdown = local.advice } },
        { type = "alarm", x = 16, y = 0, width = 8, height = local.top, properties = {
          title  = "Alarms of the service"
          alarms = local.alarms
        } },
      ],
      [for index, graph in local.graphs : {
        type   = "metric"
        x      = index % 3 * 8
        y      = local.top + floor(index / 3) * 6
        width  = 8
        height = 6
        properties = {
          title       = graph.title
          region      = local.region
          view        = "timeSeries"
          stat        = graph.stat
          period      = 60
          metrics     = graph.metrics
          yAxis       = { left = { min = 0, label = graph.unit, showUnits = false } }
          annotations = { horizontal = [for label, value in graph.marks : { label = label, value = value }] }
        }
      }],
    )
  })
}
