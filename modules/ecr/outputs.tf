output "repository_urls" {
  description = "Address of each repository, by binary, to put a colon and a version behind."
  value       = { for name, repository in aws_ecr_repository.this : name => repository.repository_url }
}

output "repository_arns" {
  description = "ARN of each repository, by binary."
  value       = { for name, repository in aws_ecr_repository.this : name => repository.arn }
}
