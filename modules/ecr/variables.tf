variable "namespace" {
  description = "Put before each repository's name: <namespace>/consumer."
  type        = string
  default     = "terraform-ecs-kinesis"

  validation {
    condition     = can(regex("^[a-z0-9]+([._-][a-z0-9]+)*$", var.namespace))
    error_message = "namespace: want lower-case letters and digits, joined by dots, dashes or underscores."
  }
}

variable "repositories" {
  description = "One repository for each of these binaries."
  type        = set(string)
  default     = ["producer", "consumer", "leasekeeper"]

  validation {
    condition     = length(var.repositories) > 0 && alltrue([for name in var.repositories : can(regex("^[a-z0-9]+([._-][a-z0-9]+)*$", name))])
    error_message = "repositories: want one or more names of lower-case letters and digits."
  }
}

variable "keep_images" {
  description = "Releases to keep of each binary; older ones are deleted, at 0.10 USD a GB and month kept. A release that runs somewhere must not be among the deleted."
  type        = number
  default     = 100

  validation {
    condition     = var.keep_images >= 10 && floor(var.keep_images) == var.keep_images
    error_message = "keep_images: want 10 or more: a rollback needs the release before."
  }
}

variable "pull_account_ids" {
  description = "Other accounts whose tasks may pull the images, such as production's."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.pull_account_ids : can(regex("^[0-9]{12}$", id))])
    error_message = "pull_account_ids: want account ids of 12 digits."
  }
}

variable "force_delete" {
  description = "Delete repositories with images in them. Only for trying things out."
  type        = bool
  default     = false
}
