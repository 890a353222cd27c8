variable "name" {
  description = "Name of the VPC, and the prefix of the names of everything in it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "name: want 2 to 31 lower-case letters, digits and dashes, beginning with a letter."
  }
}

variable "region" {
  description = "Region of the VPC, as in eu-west-1. It names the endpoints' services."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region: want the code of a region, such as eu-west-1."
  }
}

variable "cidr" {
  description = "IPv4 range of the VPC, /16 to /20. A sixteenth of it goes to each private subnet, 1/256 to each public one."
  type        = string
  default     = "10.10.0.0/16"

  validation {
    condition     = can(cidrnetmask(var.cidr)) && try(tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 20, false)
    error_message = "cidr: want an IPv4 range from /16 to /20, such as 10.10.0.0/16."
  }

  validation {
    condition     = try(cidrsubnet(var.cidr, 0, 0) == var.cidr, false)
    error_message = "cidr: the address has bits set beyond its prefix; 10.10.0.0/16 is a range, 10.10.1.0/16 is not."
  }
}

variable "availability_zones" {
  description = "Zones to spread over, 1 to 6, each with one public and one private subnet."
  type        = list(string)

  validation {
    condition     = length(var.availability_zones) >= 1 && length(var.availability_zones) <= 6 && length(distinct(var.availability_zones)) == length(var.availability_zones)
    error_message = "availability_zones: want 1 to 6 different zones."
  }

  validation {
    condition     = alltrue([for zone in var.availability_zones : startswith(zone, var.region) && zone != var.region])
    error_message = "availability_zones: every zone must lie in var.region."
  }
}

variable "nat" {
  description = <<-EOT
    How private subnets reach the internet.
    none: not at all; then interface_endpoints must hold all that Fargate and the binaries need.
    single: one NAT gateway; when its zone fails, so does the way out of every zone.
    per_az: one NAT gateway in every zone.
    A NAT gateway costs 0.045 USD an hour (about 33 USD a month) and 0.045 USD a GB in us-east-1, its address 0.005 USD an hour.
  EOT
  type        = string
  default     = "single"

  validation {
    condition     = contains(["none", "single", "per_az"], var.nat)
    error_message = "nat: want none, single or per_az."
  }

  validation {
    condition     = var.nat != "none" || length(setsubtract(["kinesis-streams", "ecr.api", "ecr.dkr", "logs"], var.interface_endpoints)) == 0
    error_message = "nat: without a NAT gateway interface_endpoints must hold kinesis-streams, ecr.api, ecr.dkr and logs, or no task starts."
  }
}

variable "interface_endpoints" {
  description = <<-EOT
    Services reached by an interface endpoint inside the VPC instead of through the NAT gateway,
    by the last part of their name: kinesis-streams, ecr.api, ecr.dkr, logs, monitoring, kms, sts, ….
    Each costs 0.01 USD an hour and zone (7.30 USD a month a zone) and 0.01 USD a GB in us-east-1.
    Against a NAT gateway's 0.045 USD a GB, one kinesis-streams endpoint in one zone pays from about 209 GB a month on.
    The gateway endpoints of DynamoDB and S3 cost nothing and are always there.
  EOT
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for service in var.interface_endpoints : can(regex("^[a-z0-9][a-z0-9.-]+$", service)) && !startswith(service, "com.amazonaws")])
    error_message = "interface_endpoints: want the last part of each service's name, such as kinesis-streams or ecr.api."
  }

  validation {
    condition     = length(setintersection(var.interface_endpoints, ["s3", "dynamodb"])) == 0
    error_message = "interface_endpoints: s3 and dynamodb have gateway endpoints, which cost nothing and are always there."
  }
}

variable "flow_log_retention_days" {
  description = "Days to keep the VPC's flow log in CloudWatch; 0 makes none. Collecting costs 0.50 USD a GB in us-east-1."
  type        = number
  default     = 0

  validation {
    condition     = contains([0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.flow_log_retention_days)
    error_message = "flow_log_retention_days: want 0 or a retention CloudWatch Logs knows (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)."
  }
}
