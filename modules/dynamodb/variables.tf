variable "prefix" {
  description = "Put before the tables' names (messages, leases, workers, dead-letters), as in staging-; may be empty."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^[a-zA-Z0-9_.-]{0,64}$", var.prefix))
    error_message = "prefix: want at most 64 letters, digits, dots, dashes and underscores."
  }
}

variable "point_in_time_recovery" {
  description = "Keep 35 days of history of messages, leases and dead letters to restore from, at 0.20 USD a GB and month in us-east-1."
  type        = bool
  default     = true
}

variable "deletion_protection" {
  description = "Refuse to delete the tables until this is turned off and applied. For production."
  type        = bool
  default     = false
}

variable "kms_key_arn" {
  description = "Key of yours that encrypts the tables, at KMS prices; null for DynamoDB's own, which costs nothing."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:[a-z-]+:kms:", var.kms_key_arn))
    error_message = "kms_key_arn: want the ARN of a KMS key, or null."
  }
}

variable "max_write_units" {
  description = "Most write units a second messages may spend, so that a mistake has a bounded price; null for none. A message of up to 1 kB is one unit."
  type        = number
  default     = null

  validation {
    condition     = var.max_write_units == null || try(var.max_write_units >= 1, false)
    error_message = "max_write_units: want 1 or more, or null."
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
