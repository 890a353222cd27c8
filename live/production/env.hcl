# Everything that makes production what it is. Each group goes to the module of
# its name, whose variables.tf says what may stand here and what it costs.
locals {
  environment = "production"
  account_id  = "123456789012" # yours
  region      = "eu-west-1"

  # One version per binary: what staging has proved.
  versions = {
    consumer    = "0.1.0"
    leasekeeper = "0.1.0"
    producer    = "0.1.0"
  }

  alarm_topic_arns = [] # SNS topics, made once by hand or elsewhere

  vpc = {
    cidr                    = "10.20.0.0/16"
    availability_zones      = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
    nat                     = "per_az"
    interface_endpoints     = ["kinesis-streams"]
    flow_log_retention_days = 30
  }

  kinesis = {
    name            = "production-test"
    shard_count     = 3
    retention_hours = 72
  }

  dynamodb = {
    deletion_protection = true
    max_write_units     = 12000 # twice what three full shards bring: 3 × 1000 messages a second of up to 1 kB, 2 units each
  }

  ecs = {
    task               = { cpu = 512, memory = 1024, architecture = "ARM64" }
    tasks              = { initial = 3, min = 3 }
    spot_percent       = 0
    producer           = "none"
    log_retention_days = 90
  }
}
