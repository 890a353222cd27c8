mock_provider "aws" {}

run "defaults" {
  command = plan

  assert {
    condition     = { for key, table in aws_dynamodb_table.this : key => "${table.name} by ${table.hash_key}" } == { messages = "messages by id", leases = "leases by leaseKey", workers = "workers by workerId", dead_letters = "dead-letters by id" }
    error_message = "want the four tables by their keys"
  }
  assert {
    condition     = alltrue([for table in aws_dynamodb_table.this : table.billing_mode == "PAY_PER_REQUEST"])
    error_message = "want on-demand tables"
  }
  assert {
    condition     = { for key, table in aws_dynamodb_table.this : key => one(table.point_in_time_recovery).enabled } == { messages = true, leases = true, workers = false, dead_letters = true }
    error_message = "want a history of all but the heartbeats"
  }
  assert {
    condition     = { for key, table in aws_dynamodb_table.this : key => try(one(table.ttl).attribute_name, "") } == { messages = "expiresAt", leases = "", workers = "expiresAt", dead_letters = "expiresAt" }
    error_message = "only leases never expire; messages where the consumer says when"
  }
  assert {
    condition     = alltrue([for table in aws_dynamodb_table.this : table.deletion_protection_enabled == false])
    error_message = "deletion protection must be asked for"
  }
  assert {
    condition     = alltrue([for table in aws_dynamodb_table.this : length(table.on_demand_throughput) == 0])
    error_message = "a bound on writes must be asked for"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.dead_letters.dimensions == tomap({ TableName = "dead-letters", Operation = "PutItem" }) && aws_cloudwatch_metric_alarm.dead_letters.statistic == "SampleCount"
    error_message = "the dead-letter alarm counts successful puts"
  }
}

run "production" {
  command = plan
  variables {
    prefix              = "production-"
    deletion_protection = true
    kms_key_arn         = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"
    max_write_units     = 5000
    alarm_topic_arns    = ["arn:aws:sns:eu-west-1:123456789012:alerts"]
  }

  assert {
    condition     = alltrue([for table in aws_dynamodb_table.this : startswith(table.name, "production-") && table.deletion_protection_enabled])
    error_message = "want four protected tables of production"
  }
  assert {
    condition     = alltrue([for table in aws_dynamodb_table.this : one(table.server_side_encryption).kms_key_arn == var.kms_key_arn])
    error_message = "want every table under the key given"
  }
  assert {
    condition     = { for key, table in aws_dynamodb_table.this : key => try(one(table.on_demand_throughput).max_write_request_units, 0) } == { messages = 5000, leases = 0, workers = 0, dead_letters = 0 }
    error_message = "only messages are bounded: a lease that cannot be written is an outage"
  }
  assert {
    condition     = alltrue([for alarm in concat(values(aws_cloudwatch_metric_alarm.write_throttled), [aws_cloudwatch_metric_alarm.dead_letters]) : alarm.alarm_actions == toset(var.alarm_topic_arns)])
    error_message = "an alarm goes nowhere"
  }
}

run "no_history_when_asked" {
  command = plan
  variables { point_in_time_recovery = false }

  assert {
    condition     = alltrue([for table in aws_dynamodb_table.this : one(table.point_in_time_recovery).enabled == false])
    error_message = "point-in-time recovery was turned off"
  }
}

run "refuses_prefix" {
  command = plan
  variables { prefix = "my tables " }
  expect_failures = [var.prefix]
}

run "refuses_key_alias" {
  command = plan
  variables { kms_key_arn = "alias/mine" }
  expect_failures = [var.kms_key_arn]
}

run "refuses_no_writes" {
  command = plan
  variables { max_write_units = 0 }
  expect_failures = [var.max_write_units]
}

run "refuses_topic_name" {
  command = plan
  variables { alarm_topic_arns = ["alerts"] }
  expect_failures = [var.alarm_topic_arns]
}
