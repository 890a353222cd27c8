variable "name" {
  description = "Name of the cluster, and the prefix of the names of everything in it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "name: want 2 to 31 lower-case letters, digits and dashes, beginning with a letter."
  }
}

variable "vpc_id" {
  description = "VPC of the tasks."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets of the tasks, with a way to Kinesis, ECR and CloudWatch Logs."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) > 0
    error_message = "subnet_ids: want at least one subnet."
  }
}

variable "stream" {
  description = "The stream: name, ARN, its number of shards (null on demand), the key its users must be granted (null for the service's own), and the registered consumer to read as (null to poll)."
  type = object({
    name        = string
    arn         = string
    shard_count = optional(number)
    kms_key_arn = optional(string)
    fan_out     = optional(object({ name = string, arn = string }))
  })

  validation {
    condition     = can(regex("^arn:[a-z-]+:kinesis:[a-z0-9-]+:[0-9]{12}:", var.stream.arn))
    error_message = "stream: want the ARN of a Kinesis stream."
  }
}

variable "tables" {
  description = "The tables, by what they are."
  type = object({
    messages     = object({ name = string, arn = string })
    leases       = object({ name = string, arn = string })
    workers      = object({ name = string, arn = string })
    dead_letters = object({ name = string, arn = string })
  })

  validation {
    condition     = alltrue([for table in values(var.tables) : can(regex("^arn:[a-z-]+:dynamodb:", table.arn))])
    error_message = "tables: want the ARNs of DynamoDB tables."
  }
}

variable "tables_kms_key_arn" {
  description = "Key of yours the tables are encrypted with; null for DynamoDB's own."
  type        = string
  default     = null
}

variable "repositories" {
  description = "Address and ARN of the ECR repository of each binary."
  type = object({
    consumer    = object({ url = string, arn = string })
    leasekeeper = object({ url = string, arn = string })
    producer    = object({ url = string, arn = string })
  })
}

variable "versions" {
  description = "Version of each binary, as in 1.2.0."
  type        = object({ consumer = string, leasekeeper = string, producer = string })

  validation {
    condition     = alltrue([for version in values(var.versions) : can(regex("^[0-9]+\\.[0-9]+\\.[0-9]+(-[0-9A-Za-z.-]+)?$", version))])
    error_message = "versions: want released versions such as 1.2.0; latest and branches are none."
  }
}

variable "task" {
  description = <<-EOT
    Size of one task: CPU units (1024 is one vCPU), memory in MiB, and ARM64 or X86_64.
    Both containers share it. ARM64 costs a fifth less: 0.25 vCPU and 0.5 GB are 7.21 USD a month against 9.01 in us-east-1.
  EOT
  type = object({
    cpu          = optional(number, 256)
    memory       = optional(number, 512)
    architecture = optional(string, "ARM64")
  })
  default = {}

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096, 8192, 16384], var.task.cpu)
    error_message = "task.cpu: want 256, 512, 1024, 2048, 4096, 8192 or 16384."
  }

  validation {
    condition = contains(concat(
      var.task.cpu == 256 ? [512, 1024, 2048] : [],
      var.task.cpu == 512 ? range(1024, 4097, 1024) : [],
      var.task.cpu == 1024 ? range(2048, 8193, 1024) : [],
      var.task.cpu == 2048 ? range(4096, 16385, 1024) : [],
      var.task.cpu == 4096 ? range(8192, 30721, 1024) : [],
      var.task.cpu == 8192 ? range(16384, 61441, 4096) : [],
      var.task.cpu == 16384 ? range(32768, 122881, 8192) : [],
    ), var.task.memory)
    error_message = "task.memory: Fargate has no task of this CPU and memory; 256 CPU units go with 512, 1024 or 2048 MiB."
  }

  validation {
    condition     = contains(["ARM64", "X86_64"], var.task.architecture)
    error_message = "task.architecture: want ARM64 or X86_64."
  }
}

variable "tasks" {
  description = <<-EOT
    How many tasks run: initial at first, then between min and max by the age of the oldest unread record. min is
    1 at least: with no task nobody reads, so no age would ever start one. task scale COUNT=0 stops a service.
    max is the number of shards unless given, because a task without a shard only waits; a spare for
    a faster failover, or more tasks than shards for whatever reason, must be allowed by idle = true.
  EOT
  type = object({
    initial = optional(number, 3)
    min     = optional(number, 2)
    max     = optional(number)
    idle    = optional(bool, false)
  })
  default = {}

  validation {
    condition     = var.tasks.min >= 1 && var.tasks.initial >= var.tasks.min && (var.tasks.max == null || try(var.tasks.max >= var.tasks.initial, false))
    error_message = "tasks: want 1 <= min <= initial <= max."
  }

  validation {
    condition     = var.tasks.idle || var.stream.shard_count == null || max(var.tasks.min, coalesce(var.tasks.max, var.tasks.min)) <= coalesce(var.stream.shard_count, 10000)
    error_message = "tasks: more tasks than shards: the rest would wait. Say idle = true if that is what you want."
  }
}

variable "spot_percent" {
  description = "Share of tasks on Fargate Spot, 0 to 100: up to 70 % cheaper, stopped with two minutes' notice, in which both containers must have drained."
  type        = number
  default     = 0

  validation {
    condition     = var.spot_percent >= 0 && var.spot_percent <= 100 && floor(var.spot_percent) == var.spot_percent
    error_message = "spot_percent: want a whole number from 0 to 100."
  }
}

variable "drain_timeout_seconds" {
  description = "How long a consumer may finish what it has begun after SIGTERM. The leasekeeper gets that, or twice LEASEKEEPER_LEASE_DURATION if it is more, and five seconds; ECS waits ten seconds longer for each."
  type        = number
  default     = 20

  validation {
    condition     = var.drain_timeout_seconds >= 1 && var.drain_timeout_seconds <= 100 && floor(var.drain_timeout_seconds) == var.drain_timeout_seconds
    error_message = "drain_timeout_seconds: want 1 to 100: Fargate stops a container after 120 seconds at most."
  }

  # The containers stop one after the other: drain + 10, then as much as the leasekeeper gets.
  validation {
    condition = var.spot_percent == 0 || var.drain_timeout_seconds + 10 + 10 + 5 + max(
      var.drain_timeout_seconds, 2 * try(tonumber(trimsuffix(var.settings.leasekeeper["LEASEKEEPER_LEASE_DURATION"], "s")), 8)
    ) <= 120
    error_message = "drain_timeout_seconds: with spot_percent above 0 want at most 95 together with itself, or with twice LEASEKEEPER_LEASE_DURATION if that is more: a Spot task ends two minutes after its notice, and its containers stop one after the other."
  }
}

variable "settings" {
  description = "Further settings of each binary, by the names in their READMEs, as in {consumer = {CONSUMER_CONCURRENCY_LIMIT = 1000}}."
  type = object({
    consumer    = optional(map(string), {})
    leasekeeper = optional(map(string), {})
    producer    = optional(map(string), {})
  })
  default = {}

  validation {
    condition = alltrue(flatten([for binary, settings in var.settings : [
      for key in keys(settings) : can(regex("^${upper(binary)}_[A-Z0-9_]+$", key))
    ]]))
    error_message = "settings: every name begins with its binary's, as in CONSUMER_CONCURRENCY_LIMIT."
  }

  validation {
    condition = length(setintersection(flatten([for settings in values(var.settings) : keys(settings)]), [
      "CONSUMER_STREAM", "CONSUMER_LEASEKEEPER_URL", "CONSUMER_LISTEN", "CONSUMER_MESSAGES_TABLE", "CONSUMER_DEAD_LETTER_TABLE",
      "CONSUMER_DRAIN_TIMEOUT", "CONSUMER_READ_MODE", "CONSUMER_FANOUT_CONSUMER_ARN", "CONSUMER_FANOUT_NAME",
      "LEASEKEEPER_LISTEN", "LEASEKEEPER_STREAM", "LEASEKEEPER_LEASE_TABLE", "LEASEKEEPER_WORKER_TABLE", "LEASEKEEPER_DRAIN_TIMEOUT",
      "PRODUCER_STREAM", "PRODUCER_LISTEN", "PRODUCER_DRAIN_TIMEOUT",
    ])) == 0
    error_message = "settings: streams, tables, addresses, ways of reading and drain time-outs come from the module's other variables."
  }

  # Twice as long, five seconds and ten more are Fargate's 120.
  validation {
    condition     = try(tonumber(regex("^([0-9]+)s$", lookup(var.settings.leasekeeper, "LEASEKEEPER_LEASE_DURATION", "8s"))[0]) <= 52, false)
    error_message = "settings: LEASEKEEPER_LEASE_DURATION: want whole seconds, 52s at most: a leasekeeper may need twice as long to leave, and Fargate stops it after 120 seconds."
  }
}

variable "producer" {
  description = "The producer beside the consumers: none, task (a task definition to run once, by task produce), or service (one task, all the time, 100 messages a second unless settings.producer has another PRODUCER_RATE)."
  type        = string
  default     = "task"

  validation {
    condition     = contains(["none", "task", "service"], var.producer)
    error_message = "producer: want none, task or service."
  }

  validation {
    condition     = var.producer != "service" || !contains(keys(var.settings.producer), "PRODUCER_COUNT")
    error_message = "producer: a service sends without end, so its settings have no PRODUCER_COUNT."
  }
}

variable "scale" {
  description = <<-EOT
    When the number of tasks changes. One task more when the oldest unread record is older than out_age_seconds for two
    minutes, two more when it is older than five times that; one less when it has been younger than in_age_seconds and the
    CPU below in_cpu_percent for in_minutes.
  EOT
  type = object({
    out_age_seconds = optional(number, 60)
    in_age_seconds  = optional(number, 5)
    in_cpu_percent  = optional(number, 30)
    in_minutes      = optional(number, 30)
  })
  default = {}

  validation {
    condition     = var.scale.in_age_seconds > 0 && var.scale.out_age_seconds >= 2 * var.scale.in_age_seconds && var.scale.in_minutes >= 10 && var.scale.in_minutes <= 120
    error_message = "scale: want out_age_seconds at least twice in_age_seconds, and in_minutes from 10 to 120, or tasks come and go in circles."
  }
}

variable "log_retention_days" {
  description = "Days to keep the containers' logs. Collecting costs 0.50 USD a GB, keeping 0.03 USD a GB and month, in us-east-1."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days: want a retention CloudWatch Logs knows (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)."
  }
}

variable "container_insights" {
  description = "CloudWatch Container Insights: more metrics of cluster, service and tasks, each a custom metric at 0.30 USD a month."
  type        = bool
  default     = false
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
