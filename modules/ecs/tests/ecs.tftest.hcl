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

run "defaults" {
  command = plan

  assert {
    condition     = aws_ecs_service.consumer.desired_count == 3 && aws_appautoscaling_target.tasks.min_capacity == 2 && aws_appautoscaling_target.tasks.max_capacity == 3
    error_message = "want 3 tasks at first, 2 to 3 later"
  }
  assert {
    condition     = aws_ecs_task_definition.consumer.cpu == "256" && aws_ecs_task_definition.consumer.memory == "512" && one(aws_ecs_task_definition.consumer.runtime_platform).cpu_architecture == "ARM64"
    error_message = "want a task of 256 CPU units and 512 MiB on ARM64"
  }
  assert {
    condition     = one(aws_ecs_service.consumer.deployment_circuit_breaker).enable && one(aws_ecs_service.consumer.deployment_circuit_breaker).rollback
    error_message = "want a circuit breaker that rolls back"
  }
  assert {
    condition     = one(aws_ecs_service.consumer.network_configuration).assign_public_ip == false && one(aws_ecs_service.consumer.network_configuration).subnets == toset(var.subnet_ids)
    error_message = "want tasks in the private subnets, without public addresses"
  }
  assert {
    condition     = [for strategy in aws_ecs_service.consumer.capacity_provider_strategy : strategy.capacity_provider] == ["FARGATE"]
    error_message = "Spot must be asked for"
  }
  assert {
    condition     = length(aws_ecs_service.producer) == 0 && length(aws_ecs_task_definition.producer) == 1
    error_message = "the producer is a task definition unless a service is asked for"
  }
  assert {
    condition     = aws_cloudwatch_log_group.this.retention_in_days == 30
    error_message = "want logs kept for 30 days"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.behind.threshold == 60000 && aws_cloudwatch_metric_alarm.idle.evaluation_periods == 30
    error_message = "out after a minute's age, in after half an hour"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.nobody_reads.treat_missing_data == "breaching" && aws_cloudwatch_metric_alarm.nobody_reads.metric_name == "GetRecords.Success"
    error_message = "no call leaves no data: that is what the alarm is about"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.errors.period * aws_cloudwatch_metric_alarm.errors.evaluation_periods == 900 && aws_cloudwatch_metric_alarm.errors.threshold == 3
    error_message = "a burst of three errors must be told, whichever minutes it falls into"
  }
}

run "containers" {
  command = plan

  assert {
    condition     = { for container in jsondecode(aws_ecs_task_definition.consumer.container_definitions) : container.name => container.image } == { consumer = "registry/consumer:1.2.0", leasekeeper = "registry/leasekeeper:0.9.0" }
    error_message = "want two containers, each of its own version"
  }
  assert {
    condition     = alltrue([for container in jsondecode(aws_ecs_task_definition.consumer.container_definitions) : container.essential && container.readonlyRootFilesystem && container.user == "65532:65532" && container.linuxParameters.capabilities == { add = [], drop = ["ALL"] }])
    error_message = "want essential containers without root, disk or capabilities"
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.consumer.container_definitions)[0].dependsOn == [{ condition = "HEALTHY", containerName = "leasekeeper" }]
    error_message = "the consumer must wait for the leasekeeper, and stop before it"
  }
  assert {
    condition     = { for container in jsondecode(aws_ecs_task_definition.consumer.container_definitions) : container.name => container.healthCheck.command } == { consumer = ["CMD", "/consumer", "healthcheck"], leasekeeper = ["CMD", "/leasekeeper", "healthcheck"] }
    error_message = "health is asked by the binary's own verb: there is no shell"
  }
  assert {
    condition     = [for container in jsondecode(aws_ecs_task_definition.consumer.container_definitions) : container.stopTimeout] == [30, 35]
    error_message = "stop time-outs must be above the drain time-out, the leasekeeper's above the consumer's"
  }
  assert {
    condition     = contains(jsondecode(aws_ecs_task_definition.consumer.container_definitions)[0].environment, { name = "CONSUMER_DRAIN_TIMEOUT", value = "20s" })
    error_message = "the consumer must be told its drain time-out"
  }
  assert {
    condition     = sum([for container in jsondecode(aws_ecs_task_definition.consumer.container_definitions) : container.cpu]) == 256
    error_message = "the containers' CPU must add up to the task's"
  }
}

run "verbs_run_alone" {
  command = plan

  assert {
    condition = { for binary, definition in aws_ecs_task_definition.verb : binary => [for container in jsondecode(definition.container_definitions) : [container.name, container.image]] } == {
      consumer    = [["consumer-verb", "registry/consumer:1.2.0"]]
      leasekeeper = [["leasekeeper-verb", "registry/leasekeeper:0.9.0"]]
    }
    error_message = "want one binary alone: a leasekeeper beside it would join the fleet"
  }
  assert {
    condition     = alltrue([for definition in aws_ecs_task_definition.verb : !contains(keys(jsondecode(definition.container_definitions)[0]), "healthCheck") && jsondecode(definition.container_definitions)[0].command == ["help"]])
    error_message = "a verb serves no health, and does nothing that it was not told"
  }
  assert {
    condition     = contains(jsondecode(aws_ecs_task_definition.verb["consumer"].container_definitions)[0].environment, { name = "CONSUMER_STREAM", value = "test" })
    error_message = "a replay must be told its stream"
  }
  assert {
    condition     = contains(jsondecode(aws_ecs_task_definition.verb["leasekeeper"].container_definitions)[0].environment, { name = "LEASEKEEPER_LEASE_TABLE", value = "leases" })
    error_message = "a leasekeeper's verb must be told its tables"
  }
}

run "roles_name_what_they_reach" {
  command = plan

  assert {
    condition     = alltrue([for statement in jsondecode(aws_iam_role_policy.consumer.policy).Statement : !strcontains(jsonencode(statement), "*")])
    error_message = "a wildcard in the consumers' role"
  }
  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.producer[0].policy).Statement : statement.Resource] == ["arn:aws:kinesis:eu-west-1:123456789012:stream/test"]
    error_message = "the producer reaches more than the stream"
  }
  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement : statement.Action if statement.Resource == "*"] == [["ecr:GetAuthorizationToken"]]
    error_message = "only signing in to the registry knows no resource"
  }
  assert {
    condition     = jsondecode(aws_iam_role.consumer.assume_role_policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012"
    error_message = "another account's tasks could be given the role"
  }
  assert {
    condition     = length(jsondecode(aws_iam_role_policy.consumer.policy).Statement) == 4
    error_message = "want stream, messages, dead letters and leases, and no keys"
  }
}

run "own_keys_and_fan_out" {
  command = plan
  variables {
    stream = {
      name        = "test"
      arn         = "arn:aws:kinesis:eu-west-1:123456789012:stream/test"
      kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/1"
      fan_out     = { name = "consumer", arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/test/consumer/consumer:1" }
    }
    tables_kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/2"
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.consumer.policy).Statement : statement.Sid if contains(["SubscribeToShards", "DecryptRecords", "UseTables"], statement.Sid)] == ["SubscribeToShards", "DecryptRecords", "UseTables"]
    error_message = "fan-out and keys must be granted"
  }
  assert {
    condition     = contains(jsondecode(aws_ecs_task_definition.consumer.container_definitions)[0].environment, { name = "CONSUMER_FANOUT_CONSUMER_ARN", value = var.stream.fan_out.arn })
    error_message = "the consumer must be told what it subscribes as"
  }
  assert {
    condition     = length(jsondecode(aws_iam_role_policy.producer[0].policy).Statement) == 2
    error_message = "the producer must be granted the stream's key"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.behind.metric_name == "SubscribeToShardEvent.MillisBehindLatest" && aws_cloudwatch_metric_alarm.behind.dimensions["ConsumerName"] == "consumer"
    error_message = "scaling must follow the registered consumer's age"
  }
}

run "fewer_shards_later" {
  command = plan
  variables { stream = { name = "test", arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/test", shard_count = 2 } }

  assert {
    condition     = aws_ecs_service.consumer.desired_count == 2 && aws_appautoscaling_target.tasks.max_capacity == 2
    error_message = "the first number of tasks is no reason to refuse a merged stream"
  }
}

run "more_tasks_when_told" {
  command = plan
  variables { tasks = { initial = 4, min = 4, max = 6, idle = true } }

  assert {
    condition     = aws_appautoscaling_target.tasks.max_capacity == 6 && aws_ecs_service.consumer.desired_count == 4
    error_message = "spare tasks were asked for"
  }
}

run "on_demand_stream_has_no_cap" {
  command = plan
  variables {
    stream = { name = "test", arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/test" }
    tasks  = { initial = 4, max = 16 }
  }

  assert {
    condition     = aws_appautoscaling_target.tasks.max_capacity == 16
    error_message = "the service counts the shards of an on-demand stream"
  }
}

run "spot_share" {
  command = plan
  variables { spot_percent = 70 }

  assert {
    condition     = { for strategy in aws_ecs_service.consumer.capacity_provider_strategy : strategy.capacity_provider => strategy.weight } == { FARGATE = 30, FARGATE_SPOT = 70 }
    error_message = "want 70 of 100 tasks on Spot"
  }
  assert {
    condition     = aws_ecs_service.consumer.force_new_deployment == true # left out it is null, which is no condition
    error_message = "another share of Spot would delete the service and make it anew"
  }
}

run "producer_as_a_service" {
  command = plan
  variables { producer = "service" }

  assert {
    condition     = one(aws_ecs_service.producer[*].desired_count) == 1
    error_message = "want one producer, all the time"
  }
  assert {
    condition     = contains(jsondecode(aws_ecs_task_definition.producer[0].container_definitions)[0].environment, { name = "PRODUCER_COUNT", value = "0" })
    error_message = "a producer that ends is started again, over and over"
  }
  assert {
    condition     = one(aws_ecs_service.producer[*].force_new_deployment) == true
    error_message = "another share of Spot would delete the producer's service and make it anew"
  }
}

run "no_producer" {
  command = plan
  variables { producer = "none" }

  assert {
    condition     = length(aws_ecs_task_definition.producer) == 0 && length(aws_iam_role.producer) == 0 && output.producer_task_definition_arn == null
    error_message = "want no producer, nor a role for one"
  }
}

run "settings_reach_their_binary" {
  command = plan
  variables {
    settings = { consumer = { CONSUMER_CONCURRENCY_LIMIT = "1000" }, producer = { PRODUCER_RATE = "100" } }
  }

  assert {
    condition     = contains(jsondecode(aws_ecs_task_definition.consumer.container_definitions)[0].environment, { name = "CONSUMER_CONCURRENCY_LIMIT", value = "1000" })
    error_message = "the consumer's setting is lost"
  }
  assert {
    condition     = !strcontains(jsonencode(jsondecode(aws_ecs_task_definition.consumer.container_definitions)[1].environment), "CONSUMER_")
    error_message = "the leasekeeper refuses settings that are not its own"
  }
  assert {
    condition     = contains(jsondecode(aws_ecs_task_definition.producer[0].container_definitions)[0].environment, { name = "PRODUCER_RATE", value = "100" })
    error_message = "the producer's setting is lost"
  }
}

run "long_drain" {
  command = plan
  variables { drain_timeout_seconds = 100 } # without Spot

  assert {
    condition     = max([for container in jsondecode(aws_ecs_task_definition.consumer.container_definitions) : container.stopTimeout]...) == 115
    error_message = "the longest drain must not pass Fargate's limit"
  }
}

run "long_leases" {
  command = plan
  variables { settings = { leasekeeper = { LEASEKEEPER_LEASE_DURATION = "30s" } } }

  assert {
    condition     = contains(jsondecode(aws_ecs_task_definition.consumer.container_definitions)[1].environment, { name = "LEASEKEEPER_DRAIN_TIMEOUT", value = "65s" }) && jsondecode(aws_ecs_task_definition.consumer.container_definitions)[1].stopTimeout == 75
    error_message = "the leasekeeper refuses a drain shorter than twice its lease"
  }
}

run "insights_and_alarms" {
  command = plan
  variables {
    container_insights = true
    alarm_topic_arns   = ["arn:aws:sns:eu-west-1:123456789012:alerts"]
  }

  assert {
    condition     = one(aws_ecs_cluster.this.setting).value == "enabled"
    error_message = "Container Insights was asked for"
  }
  assert {
    condition     = alltrue([for alarm in [aws_cloudwatch_metric_alarm.tasks_missing, aws_cloudwatch_metric_alarm.nobody_reads, aws_cloudwatch_metric_alarm.memory, aws_cloudwatch_metric_alarm.errors] : alarm.alarm_actions == toset(var.alarm_topic_arns)])
    error_message = "an alarm goes nowhere"
  }
}

run "dashboard" {
  command = plan

  assert {
    condition     = [for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget.type] == concat(["text", "alarm"], [for graph in range(9) : "metric"])
    error_message = "want what to do, the alarms, and nine graphs"
  }
  assert {
    condition     = length(distinct([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : "${widget.x} ${widget.y}"])) == 11 && alltrue([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget.x + widget.width <= 24])
    error_message = "widgets lie on one another, or beyond the 24 columns"
  }
  assert {
    condition     = jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).periodOverride == "inherit"
    error_message = "over a long time the count of tasks would be that of several minutes"
  }
  assert {
    condition     = alltrue(flatten([for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : [for metric in widget.properties.metrics : can(metric[length(metric) - 1].label)] if widget.type == "metric"]))
    error_message = "a series has no name: SuccessfulRequestLatency says nothing of dead letters"
  }
  assert {
    condition     = contains(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets[1].properties.alarms, "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:test-nobody-reads")
    error_message = "an alarm is not shown"
  }
}

run "dashboard_of_fan_out" {
  command = plan
  variables {
    stream = {
      name    = "test", arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/test", shard_count = 3
      fan_out = { name = "consumer", arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/test/consumer/consumer:1" }
    }
  }

  assert {
    condition     = !strcontains(aws_cloudwatch_dashboard.this.dashboard_body, "GetRecords") && strcontains(aws_cloudwatch_dashboard.this.dashboard_body, "SubscribeToShardEvent.Records")
    error_message = "a registered consumer makes no GetRecords: its graphs would stay empty"
  }
}
