# Everything that makes staging what it is. Each group goes to the module of its
# name, whose variables.tf says what may stand here and what it costs.
locals {
  environment = "staging"
  account_id  = "123456789012" # yours
  region      = "eu-west-1"

  # One version per binary: what is released (task release) and runs here.
  versions = {
    consumer    = "0.1.0"
    leasekeeper = "0.1.0"
    producer    = "0.1.0"
  }

  alarm_topic_arns = [] # SNS topics, made once by hand or elsewhere

  vpc = {
    cidr               = "10.10.0.0/16"
    availability_zones = ["eu-west-1a", "eu-west-1b"]
    nat                = "single"
  }

  kinesis = {
    name        = "staging-test"
    shard_count = 3
  }

  dynamodb = {
    point_in_time_recovery = false
  }

  ecs = {
    task               = { cpu = 256, memory = 512, architecture = "ARM64" }
    tasks              = { initial = 3, min = 2 }
    spot_percent       = 100
    log_retention_days = 14
  }
}
