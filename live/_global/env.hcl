# The registry: one for all environments, so that what was tried in staging is,
# to the bit, what production runs.
locals {
  environment = "global"
  account_id  = "123456789012" # yours
  region      = "eu-west-1"

  ecr = {
    namespace        = "terraform-ecs-kinesis"
    pull_account_ids = [] # accounts of environments that are not this one
  }
}
