mock_provider "aws" {}

run "defaults" {
  command = plan

  assert {
    condition     = aws_kinesis_stream.this.name == "test" && aws_kinesis_stream.this.shard_count == 3 && aws_kinesis_stream.this.retention_period == 24
    error_message = "want stream test with 3 shards and 24 hours"
  }
  assert {
    condition     = one(aws_kinesis_stream.this.stream_mode_details).stream_mode == "PROVISIONED"
    error_message = "want a provisioned stream"
  }
  assert {
    condition     = aws_kinesis_stream.this.encryption_type == "KMS" && aws_kinesis_stream.this.kms_key_id == "alias/aws/kinesis"
    error_message = "want records encrypted with the service's key"
  }
  assert {
    condition     = aws_kinesis_stream.this.shard_level_metrics == toset(["IncomingBytes", "OutgoingBytes"])
    error_message = "want the two shard metrics"
  }
  assert {
    condition     = keys(aws_cloudwatch_metric_alarm.age) == ["polling"] && aws_cloudwatch_metric_alarm.age["polling"].threshold == 21600000
    error_message = "want an alarm at 6 of 24 hours"
  }
  assert {
    condition     = output.kms_key_arn == null && output.shard_count == 3
    error_message = "nothing to grant on the service's own key"
  }
}

run "on_demand" {
  command = plan
  variables { mode = "on_demand" }

  assert {
    condition     = one(aws_kinesis_stream.this.stream_mode_details).stream_mode == "ON_DEMAND" && output.shard_count == null
    error_message = "an on-demand stream has no shard count of ours"
  }
}

run "own_key_and_longer_retention" {
  command = plan
  variables {
    kms_key         = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    retention_hours = 168
  }

  assert {
    condition     = output.kms_key_arn == var.kms_key
    error_message = "readers must be told which key to be granted"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.age["polling"].threshold == 151200000
    error_message = "the alarm must follow the retention"
  }
}

run "unencrypted_when_asked" {
  command = plan
  variables { kms_key = null }

  assert {
    condition     = aws_kinesis_stream.this.encryption_type == "NONE"
    error_message = "null must mean no encryption"
  }
}

run "fan_out" {
  command = plan
  variables { fan_out_consumers = ["consumer"] }

  assert {
    condition     = aws_kinesis_stream_consumer.this["consumer"].name == "consumer"
    error_message = "want a registered consumer"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.age["consumer"].metric_name == "SubscribeToShardEvent.MillisBehindLatest" && aws_cloudwatch_metric_alarm.age["consumer"].dimensions["ConsumerName"] == "consumer"
    error_message = "a registered consumer has an age of its own to watch"
  }
}

run "alarms_are_heard" {
  command = plan
  variables { alarm_topic_arns = ["arn:aws:sns:eu-west-1:123456789012:alerts"] }

  assert {
    condition     = alltrue([for alarm in concat(values(aws_cloudwatch_metric_alarm.age), [aws_cloudwatch_metric_alarm.write_throttled]) : alarm.alarm_actions == toset(var.alarm_topic_arns) && alarm.ok_actions == toset(var.alarm_topic_arns)])
    error_message = "an alarm goes nowhere"
  }
}

run "named_like_a_table" {
  command = plan
  variables { name = "staging-messages" }

  assert {
    condition     = aws_cloudwatch_metric_alarm.write_throttled.alarm_name != "staging-messages-write-throttled"
    error_message = "the table staging-messages has an alarm of this name, and each deploy would put one over the other"
  }
}

run "refuses_name" {
  command = plan
  variables { name = "my stream" }
  expect_failures = [var.name]
}

run "refuses_mode" {
  command = plan
  variables { mode = "serverless" }
  expect_failures = [var.mode]
}

run "refuses_no_shard" {
  command = plan
  variables { shard_count = 0 }
  expect_failures = [var.shard_count]
}

run "refuses_short_retention" {
  command = plan
  variables { retention_hours = 12 }
  expect_failures = [var.retention_hours]
}

run "refuses_key_id" {
  command = plan
  variables { kms_key = "11111111-2222-3333-4444-555555555555" }
  expect_failures = [var.kms_key]
}

run "refuses_unknown_metric" {
  command = plan
  variables { shard_level_metrics = ["Bytes"] }
  expect_failures = [var.shard_level_metrics]
}

run "refuses_fan_out_name" {
  command = plan
  variables { fan_out_consumers = ["a b"] }
  expect_failures = [var.fan_out_consumers]
}

run "refuses_polling_as_a_name" {
  command = plan
  variables { fan_out_consumers = ["polling"] }
  expect_failures = [var.fan_out_consumers]
}

run "refuses_late_alarm" {
  command = plan
  variables { iterator_age_alarm_fraction = 1 }
  expect_failures = [var.iterator_age_alarm_fraction]
}

run "refuses_topic_name" {
  command = plan
  variables { alarm_topic_arns = ["alerts"] }
  expect_failures = [var.alarm_topic_arns]
}
