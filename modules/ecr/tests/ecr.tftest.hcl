mock_provider "aws" {}

run "defaults" {
  command = plan

  assert {
    condition     = { for key, repository in aws_ecr_repository.this : key => repository.name } == { for key in ["producer", "consumer", "leasekeeper"] : key => "terraform-ecs-kinesis/${key}" }
    error_message = "want one repository a binary"
  }
  assert {
    condition     = alltrue([for repository in aws_ecr_repository.this : repository.image_tag_mutability == "IMMUTABLE" && one(repository.image_scanning_configuration).scan_on_push && !repository.force_delete])
    error_message = "want immutable tags, a scan on push, and no deletion with images in it"
  }
  assert {
    condition     = jsondecode(aws_ecr_lifecycle_policy.this["consumer"].policy).rules[1].selection.countNumber == 100
    error_message = "want the newest 100 releases kept"
  }
  assert {
    condition     = length(aws_ecr_repository_policy.pull) == 0
    error_message = "other accounts must be named to pull"
  }
}

run "other_accounts_pull_and_no_more" {
  command = plan
  variables { pull_account_ids = ["210987654321"] }

  assert {
    condition     = length(aws_ecr_repository_policy.pull) == 3 && jsondecode(aws_ecr_repository_policy.pull["consumer"].policy).Statement[0].Principal.AWS == ["arn:aws:iam::210987654321:root"]
    error_message = "want the other account named on every repository"
  }
  assert {
    condition     = !anytrue([for action in jsondecode(aws_ecr_repository_policy.pull["consumer"].policy).Statement[0].Action : can(regex("Put|Upload|Delete|[*]", action))])
    error_message = "the other account may change images"
  }
}

run "refuses_namespace" {
  command = plan
  variables { namespace = "Mine/" }
  expect_failures = [var.namespace]
}

run "refuses_repository_name" {
  command = plan
  variables { repositories = ["Consumer"] }
  expect_failures = [var.repositories]
}

run "refuses_keeping_too_few" {
  command = plan
  variables { keep_images = 1 }
  expect_failures = [var.keep_images]
}

run "refuses_account_name" {
  command = plan
  variables { pull_account_ids = ["production"] }
  expect_failures = [var.pull_account_ids]
}
