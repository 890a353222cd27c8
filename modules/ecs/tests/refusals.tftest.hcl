mock_provider "aws" {}

variables {
  name       = "test"
  vpc_id     = "vpc-1"
  subnet_ids = ["subnet-1", "subnet-2"]
  stream     = { name = "test", arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/test", shard_count = 3 }
  tables = {
    messages     = { name = "messages", arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/messages" }
    leases       = { name = "leases", arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/leases" }
    workers      = { name = "workers", arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/workers" }
    dead_letters = { name = "dead-letters", arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/dead-letters" }
  }
  repositories = {
    consumer    = { url = "registry/consumer", arn = "arn:aws:ecr:eu-west-1:123456789012:repository/consumer" }
    leasekeeper = { url = "registry/leasekeeper", arn = "arn:aws:ecr:eu-west-1:123456789012:repository/leasekeeper" }
    producer    = { url = "registry/producer", arn = "arn:aws:ecr:eu-west-1:123456789012:repository/producer" }
  }
  versions = { consumer = "1.2.0", leasekeeper = "0.9.0", producer = "2.0.0" }
}

run "refuses_name" {
  command = plan
  variables { name = "Test" }
  expect_failures = [var.name]
}

run "refuses_no_subnet" {
  command = plan
  variables { subnet_ids = [] }
  expect_failures = [var.subnet_ids]
}

run "refuses_stream_name_for_arn" {
  command = plan
  variables { stream = { name = "test", arn = "test", shard_count = 3 } }
  expect_failures = [var.stream]
}

run "refuses_table_name_for_arn" {
  command = plan
  variables {
    tables = {
      messages     = { name = "messages", arn = "messages" }
      leases       = { name = "leases", arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/leases" }
      workers      = { name = "workers", arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/workers" }
      dead_letters = { name = "dead-letters", arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/dead-letters" }
    }
  }
  expect_failures = [var.tables]
}

run "refuses_latest" {
  command = plan
  variables { versions = { consumer = "latest", leasekeeper = "0.9.0", producer = "2.0.0" } }
  expect_failures = [var.versions]
}

run "refuses_odd_cpu" {
  command = plan
  variables { task = { cpu = 300 } }
  expect_failures = [var.task]
}

run "refuses_memory_fargate_lacks" {
  command = plan
  variables { task = { cpu = 256, memory = 4096 } }
  expect_failures = [var.task]
}

run "refuses_unknown_architecture" {
  command = plan
  variables { task = { architecture = "RISCV" } }
  expect_failures = [var.task]
}

run "refuses_more_tasks_than_shards" {
  command = plan
  variables { tasks = { initial = 4, min = 4 } }
  expect_failures = [var.tasks]
}

run "refuses_later_more_tasks_than_shards" {
  command = plan
  variables { tasks = { max = 4 } }
  expect_failures = [var.tasks]
}

run "refuses_max_below_initial" {
  command = plan
  variables { tasks = { initial = 3, max = 2 } }
  expect_failures = [var.tasks]
}

run "refuses_min_above_initial" {
  command = plan
  variables { tasks = { initial = 1, min = 2 } }
  expect_failures = [var.tasks]
}

run "refuses_half_a_percent" {
  command = plan
  variables { spot_percent = 0.5 }
  expect_failures = [var.spot_percent]
}

run "refuses_drain_beyond_fargate" {
  command = plan
  variables { drain_timeout_seconds = 101 }
  expect_failures = [var.drain_timeout_seconds]
}

run "refuses_setting_of_another_binary" {
  command = plan
  variables { settings = { consumer = { LEASEKEEPER_LOG_LEVEL = "debug" } } }
  expect_failures = [var.settings]
}

run "refuses_setting_the_module_makes" {
  command = plan
  variables { settings = { consumer = { CONSUMER_DRAIN_TIMEOUT = "60s" } } }
  expect_failures = [var.settings]
}

run "refuses_producer_kind" {
  command = plan
  variables { producer = "cron" }
  expect_failures = [var.producer]
}

run "refuses_scaling_in_circles" {
  command = plan
  variables { scale = { out_age_seconds = 6, in_age_seconds = 5 } }
  expect_failures = [var.scale]
}

run "refuses_odd_retention" {
  command = plan
  variables { log_retention_days = 12 }
  expect_failures = [var.log_retention_days]
}

run "refuses_topic_name" {
  command = plan
  variables { alarm_topic_arns = ["alerts"] }
  expect_failures = [var.alarm_topic_arns]
}

run "refuses_drain_beyond_spot" {
  command = plan
  variables {
    drain_timeout_seconds = 48
    spot_percent          = 50
  }
  expect_failures = [var.drain_timeout_seconds]
}

run "refuses_lease_beyond_fargate" {
  command = plan
  variables { settings = { leasekeeper = { LEASEKEEPER_LEASE_DURATION = "53s" } } }
  expect_failures = [var.settings]
}

run "refuses_lease_in_other_units" {
  command = plan
  variables { settings = { leasekeeper = { LEASEKEEPER_LEASE_DURATION = "1m" } } }
  expect_failures = [var.settings]
}

run "refuses_lease_beyond_spot" {
  command = plan
  variables {
    settings     = { leasekeeper = { LEASEKEEPER_LEASE_DURATION = "38s" } }
    spot_percent = 50
  }
  expect_failures = [var.drain_timeout_seconds]
}

run "refuses_producer_service_that_ends" {
  command = plan
  variables {
    producer = "service"
    settings = { producer = { PRODUCER_COUNT = "10" } }
  }
  expect_failures = [var.producer]
}

run "refuses_no_task" {
  command = plan
  variables { tasks = { min = 0 } }
  expect_failures = [var.tasks]
}
