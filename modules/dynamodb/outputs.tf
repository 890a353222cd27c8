output "tables" {
  description = "Name and ARN of each table, by what it is: messages, leases, workers, dead_letters."
  value       = { for key, table in aws_dynamodb_table.this : key => { name = table.name, arn = table.arn } }
}

output "deletion_protection" {
  description = "Whether the tables refuse to be deleted."
  value       = var.deletion_protection
}

output "kms_key_arn" {
  description = "ARN of the key of yours whose use readers and writers need granted; null when it is DynamoDB's own."
  value       = var.kms_key_arn
}
