locals {
  # Title, how to aggregate, and the series of each graph, three to a row.
  graphs = [
    { title = "Age of the oldest unread record (ms)", stat = "Maximum", metrics = [
      concat(["AWS/Kinesis", local.age.metric], flatten([for key, value in local.age.dimensions : [key, value]])),
    ] },
    { title = "Records in and out", stat = "Sum", metrics = [
      ["AWS/Kinesis", "IncomingRecords", "StreamName", var.stream.name],
      ["AWS/Kinesis", "GetRecords.Records", "StreamName", var.stream.name],
    ] },
    { title = "Throttled", stat = "Sum", metrics = [
      ["AWS/Kinesis", "WriteProvisionedThroughputExceeded", "StreamName", var.stream.name],
      ["AWS/Kinesis", "ReadProvisionedThroughputExceeded", "StreamName", var.stream.name],
      ["AWS/DynamoDB", "WriteThrottleEvents", "TableName", var.tables.messages.name],
    ] },
    { title = "Running tasks", stat = "SampleCount", metrics = [
      ["AWS/ECS", "CPUUtilization", "ClusterName", var.name, "ServiceName", "consumer"],
    ] },
    { title = "CPU and memory (%)", stat = "Average", metrics = [
      ["AWS/ECS", "CPUUtilization", "ClusterName", var.name, "ServiceName", "consumer"],
      ["AWS/ECS", "MemoryUtilization", "ClusterName", var.name, "ServiceName", "consumer"],
    ] },
    { title = "Write units: messages, leases, workers", stat = "Sum", metrics = [
      for table in ["messages", "leases", "workers"] : ["AWS/DynamoDB", "ConsumedWriteCapacityUnits", "TableName", var.tables[table].name]
    ] },
    { title = "Dead letters", stat = "SampleCount", metrics = [
      ["AWS/DynamoDB", "SuccessfulRequestLatency", "TableName", var.tables.dead_letters.name, "Operation", "PutItem"],
    ] },
    { title = "Errors logged", stat = "Sum", metrics = [
      ["terraform-ecs-kinesis", "${var.name}-errors"],
    ] },
    { title = "Bytes in and out", stat = "Sum", metrics = [
      ["AWS/Kinesis", "IncomingBytes", "StreamName", var.stream.name],
      ["AWS/Kinesis", "GetRecords.Bytes", "StreamName", var.stream.name],
    ] },
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = [for index, graph in local.graphs : {
      type   = "metric"
      x      = index % 3 * 8
      y      = floor(index / 3) * 6
      width  = 8
      height = 6
      properties = {
        title   = graph.title
        region  = local.region
        view    = "timeSeries"
        stat    = graph.stat
        period  = 60
        metrics = graph.metrics
        yAxis   = { left = { min = 0 } }
      }
    }]
  })
}
