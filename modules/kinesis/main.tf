locals {
  provisioned = var.mode == "provisioned"
}

resource "aws_kinesis_stream" "this" {
  name             = var.name
  shard_count      = local.provisioned ? var.shard_count : null
  retention_period = var.retention_hours
  encryption_type  = var.kms_key == null ? "NONE" : "KMS"
  kms_key_id       = var.kms_key

  shard_level_metrics = var.shard_level_metrics

  # A stream with registered consumers refuses to be deleted; destroy means it.
  enforce_consumer_deletion = true

  stream_mode_details {
    stream_mode = local.provisioned ? "PROVISIONED" : "ON_DEMAND"
  }
}

resource "aws_kinesis_stream_consumer" "this" {
  for_each = var.fan_out_consumers

  name       = each.key
  stream_arn = aws_kinesis_stream.this.arn
}
