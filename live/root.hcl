# What every unit of every environment has in common: state, provider and
# versions. Settings of one environment stand in its env.hcl.
#
# Two environment variables change where a run leaves its traces:
#   INFRA_STATE=local  keeps state in files (under INFRA_STATE_DIR, else .state/), for trying things out
#   INFRA_CLOUD=none   asks no account anything: plans without credentials

locals {
  env = read_terragrunt_config(find_in_parent_folders("env.hcl")).locals

  backend   = get_env("INFRA_STATE", "s3") == "local" ? "local" : "s3"
  no_cloud  = get_env("INFRA_CLOUD", "aws") == "none"
  state_dir = get_env("INFRA_STATE_DIR", "${dirname(find_in_parent_folders("root.hcl"))}/../.state")

  # The exact provider, for every unit; modules ask for a range.
  aws_provider_version = "6.47.0"

  # Nobody is asked who the caller is when there is no cloud to ask.
  provider_credentials = local.no_cloud ? join("\n", [
    "  access_key                  = \"none\"",
    "  secret_key                  = \"none\"",
    "  skip_credentials_validation = true",
    "  skip_requesting_account_id  = true",
    "  skip_metadata_api_check     = \"true\"",
  ]) : "  allowed_account_ids = [\"${local.env.account_id}\"]"
}

terraform_binary              = "terraform"
terraform_version_constraint  = ">= 1.11.0"
terragrunt_version_constraint = ">= 1.0.0"

remote_state {
  backend = local.backend

  generate = {
    path      = "backend.tf"
    if_exists = "overwrite_terragrunt"
  }

  # By name, not by condition: that would make strings of the booleans.
  config = {
    local = {
      path = "${local.state_dir}/${path_relative_to_include()}/terraform.tfstate"
    }
    s3 = {
      bucket       = "terraform-ecs-kinesis-state-${local.env.account_id}-${local.env.region}"
      key          = "${path_relative_to_include()}/terraform.tfstate"
      region       = local.env.region
      encrypt      = true
      use_lockfile = true
    }
  }[local.backend]
}

generate "provider" {
  path      = "provider.tf"
  if_exists = "overwrite_terragrunt"
  contents  = <<-EOT
    provider "aws" {
      region = "${local.env.region}"
    ${local.provider_credentials}

      default_tags {
        tags = {
          Project     = "terraform-ecs-kinesis"
          Environment = "${local.env.environment}"
          Unit        = "${path_relative_to_include()}"
          ManagedBy   = "terraform"
        }
      }
    }
  EOT
}

generate "versions" {
  path      = "versions_override.tf"
  if_exists = "overwrite_terragrunt"
  contents  = <<-EOT
    terraform {
      required_providers {
        aws = {
          source  = "hashicorp/aws"
          version = "${local.aws_provider_version}"
        }
      }
    }
  EOT
}
