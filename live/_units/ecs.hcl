locals {
  env      = read_terragrunt_config(find_in_parent_folders("env.hcl")).locals
  registry = read_terragrunt_config("${dirname(find_in_parent_folders("root.hcl"))}/_global/env.hcl").locals

  # Computed, not read from the registry's state: that may lie in another account.
  repositories = {
    for binary in ["consumer", "leasekeeper", "producer"] : binary => {
      url = "${local.registry.account_id}.dkr.ecr.${local.registry.region}.amazonaws.com/${local.registry.ecr.namespace}/${binary}"
      arn = "arn:aws:ecr:${local.registry.region}:${local.registry.account_id}:repository/${local.registry.ecr.namespace}/${binary}"
    }
  }

  # Stand-ins for what is not there yet, so that a whole environment can be
  # validated and planned before any of it exists. task deploy sets INFRA_MOCKS=no:
  # what is applied was never planned with them.
  mock_commands = get_env("INFRA_MOCKS", "yes") == "no" ? ["validate", "state"] : ["validate", "plan", "show", "state"]
  place         = "${local.env.region}:${local.env.account_id}"
  tables_mock = {
    for key, name in { messages = "messages", leases = "leases", workers = "workers", dead_letters = "dead-letters" } : key => {
      name                      = "${local.env.environment}-${name}"
      arn                       = "arn:aws:dynamodb:${local.place}:table/${local.env.environment}-${name}"
    }
  }

  # The registered consumer to read as, where there is one of this name; any
  # other is another application's.
  fan_out = "consumer"

  # A KCL application's lease table, taken over in place: see docs/DEPLOY.md.
  kcl_leases = try({ leases = {
    name = local.env.kcl_lease_table
    arn  = "arn:aws:dynamodb:${local.place}:table/${local.env.kcl_lease_table}"
  } }, {})
}

terraform {
  source = "${dirname(find_in_parent_folders("root.hcl"))}/../modules//ecs"
}

dependency "vpc" {
  config_path = "${get_terragrunt_dir()}/../vpc"

  mock_outputs_allowed_terraform_commands = local.mock_commands
  mock_outputs = {
    vpc_id             = "vpc-00000000000000000"
    private_subnet_ids = ["subnet-00000000000000000"]
  }
}

dependency "kinesis" {
  config_path = "${get_terragrunt_dir()}/../kinesis"

  mock_outputs_allowed_terraform_commands = local.mock_commands
  mock_outputs = {
    name        = local.env.kinesis.name
    arn         = "arn:aws:kinesis:${local.place}:stream/${local.env.kinesis.name}"
    shard_count = try(local.env.kinesis.shard_count, null)
    kms_key_arn = null
    fan_out_consumer_arns = {
      for name in try(local.env.kinesis.fan_out_consumers, []) :
      name => "arn:aws:kinesis:${local.place}:stream/${local.env.kinesis.name}/consumer/${name}:1"
    }
  }
}

dependency "dynamodb" {
  config_path = "${get_terragrunt_dir()}/../dynamodb"

  mock_outputs_allowed_terraform_commands = local.mock_commands
  mock_outputs = {
    tables      = local.tables_mock
    kms_key_arn = null
  }
}

inputs = merge(local.env.ecs, {
  name       = local.env.environment
  vpc_id     = dependency.vpc.outputs.vpc_id
  subnet_ids = dependency.vpc.outputs.private_subnet_ids
  stream = {
    name        = dependency.kinesis.outputs.name
    arn         = dependency.kinesis.outputs.arn
    shard_count = try(dependency.kinesis.outputs.shard_count, null)
    kms_key_arn = try(dependency.kinesis.outputs.kms_key_arn, null) # null outputs are not kept in the state
    fan_out     = try({ name = local.fan_out, arn = dependency.kinesis.outputs.fan_out_consumer_arns[local.fan_out] }, null)
  }
  tables             = merge(dependency.dynamodb.outputs.tables, local.kcl_leases)
  tables_kms_key_arn = try(dependency.dynamodb.outputs.kms_key_arn, null)
  repositories       = local.repositories
  versions           = local.env.versions
  alarm_topic_arns   = local.env.alarm_topic_arns
})
