variable "name" {
  description = "Name of the stream."
  type        = string
  default     = "test"

  validation {
    condition     = can(regex("^[a-zA-Z0-9_.-]{1,128}$", var.name))
    error_message = "name: want 1 to 128 letters, digits, dots, dashes and underscores."
  }
}

variable "mode" {
  description = <<-EOT
    provisioned: var.shard_count shards, each 1 MB/s or 1000 records/s in and 2 MB/s out, at 0.015 USD an hour (11 USD a month) in us-east-1,
    and 0.014 USD a million 25-kB units put.
    on_demand: shards come and go by themselves, at 0.04 USD an hour a stream, 0.08 USD a GB in and 0.04 USD a GB out.
  EOT
  type        = string
  default     = "provisioned"

  validation {
    condition     = contains(["provisioned", "on_demand"], var.mode)
    error_message = "mode: want provisioned or on_demand."
  }
}

variable "shard_count" {
  description = "Shards of a provisioned stream. Changing it splits or merges; at most doubled or halved in one step. Unused on demand."
  type        = number
  default     = 3

  validation {
    condition     = var.shard_count >= 1 && var.shard_count <= 10000 && floor(var.shard_count) == var.shard_count
    error_message = "shard_count: want a whole number from 1 to 10000."
  }
}

variable "retention_hours" {
  description = "Hours a record can be read, 24 to 8760. The first 24 are in the price; up to 168 cost 0.02 USD a shard and hour more, beyond that by the GB."
  type        = number
  default     = 24

  validation {
    condition     = var.retention_hours >= 24 && var.retention_hours <= 8760 && floor(var.retention_hours) == var.retention_hours
    error_message = "retention_hours: want a whole number from 24 to 8760."
  }
}

variable "kms_key" {
  description = "Key that encrypts records at rest: the alias of the service's own key (no monthly price), or the ARN of one of yours; null for none."
  type        = string
  default     = "alias/aws/kinesis"

  validation {
    condition     = var.kms_key == null || can(regex("^(alias/aws/kinesis|arn:[a-z-]+:kms:.+)$", var.kms_key))
    error_message = "kms_key: want alias/aws/kinesis, the ARN of a KMS key, or null."
  }
}

variable "shard_level_metrics" {
  description = "Metrics to publish for every shard; each is a custom metric at 0.30 USD a month and shard. The stream's own metrics cost nothing."
  type        = set(string)
  default     = ["IncomingBytes", "OutgoingBytes"]

  validation {
    condition = length(setsubtract(var.shard_level_metrics, [
      "IncomingBytes", "IncomingRecords", "OutgoingBytes", "OutgoingRecords",
      "WriteProvisionedThroughputExceeded", "ReadProvisionedThroughputExceeded", "IteratorAgeMilliseconds",
    ])) == 0
    error_message = "shard_level_metrics: want names of enhanced shard-level metrics, such as IncomingBytes."
  }
}

variable "fan_out_consumers" {
  description = "Names of registered consumers, each with 2 MB/s a shard of its own, at 0.015 USD an hour a shard and 0.013 USD a GB read (us-east-1)."
  type        = set(string)
  default     = []

  validation {
    condition     = length(var.fan_out_consumers) <= 20 && alltrue([for name in var.fan_out_consumers : can(regex("^[a-zA-Z0-9_.-]{1,128}$", name))])
    error_message = "fan_out_consumers: want at most 20 names of 1 to 128 letters, digits, dots, dashes and underscores."
  }

  validation {
    condition     = !contains(var.fan_out_consumers, "polling")
    error_message = "fan_out_consumers: polling is what the alarm of those that poll is called; choose another name."
  }
}

variable "iterator_age_alarm_fraction" {
  description = "Alarm when the oldest unread record has lived this fraction of its retention: 0.25 of 24 hours is 6 hours before anybody notices and 18 to act."
  type        = number
  default     = 0.25

  validation {
    condition     = var.iterator_age_alarm_fraction > 0 && var.iterator_age_alarm_fraction <= 0.9
    error_message = "iterator_age_alarm_fraction: want more than 0 and at most 0.9: later than that nobody can act."
  }
}

variable "alarm_topic_arns" {
  description = "SNS topics that hear of every alarm and of its end."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.alarm_topic_arns : can(regex("^arn:[a-z-]+:sns:", arn))])
    error_message = "alarm_topic_arns: want ARNs of SNS topics."
  }
}
