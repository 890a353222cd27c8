output "name" {
  description = "Name of the stream."
  value       = aws_kinesis_stream.this.name
}

output "arn" {
  description = "ARN of the stream."
  value       = aws_kinesis_stream.this.arn
}

output "shard_count" {
  description = "Shards of a provisioned stream; null on demand, where the service decides."
  value       = local.provisioned ? var.shard_count : null
}

output "kms_key_arn" {
  description = "ARN of the key of yours whose use readers and writers need granted; null when it is the service's own, or none."
  value       = try(startswith(var.kms_key, "arn:"), false) ? var.kms_key : null
}

output "fan_out_consumer_arns" {
  description = "ARNs of the registered consumers, by name."
  value       = { for name, consumer in aws_kinesis_stream_consumer.this : name => consumer.arn }
}
