locals {
  env = read_terragrunt_config(find_in_parent_folders("env.hcl")).locals
}

terraform {
  source = "${dirname(find_in_parent_folders("root.hcl"))}/../modules//dynamodb"
}

inputs = merge(local.env.dynamodb, {
  prefix           = "${local.env.environment}-"
  alarm_topic_arns = local.env.alarm_topic_arns
})
