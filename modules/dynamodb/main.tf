# The four tables of the system. On demand, because leases and workers cost a
# fixed trickle and messages follow the stream.
locals {
  tables = {
    messages     = { name = "messages", key = "id", ttl = "expiresAt", keep_history = true } # only items with CONSUMER_ITEM_TTL have it
    leases       = { name = "leases", key = "leaseKey", ttl = null, keep_history = true }
    workers      = { name = "workers", key = "workerId", ttl = "expiresAt", keep_history = false }
    dead_letters = { name = "dead-letters", key = "id", ttl = "expiresAt", keep_history = true }
  }
}

resource "aws_dynamodb_table" "this" {
  for_each = local.tables

  name                        = "${var.prefix}${each.value.name}"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = each.value.key
  deletion_protection_enabled = var.deletion_protection

  attribute {
    name = each.value.key
    type = "S"
  }

  point_in_time_recovery {
    enabled = var.point_in_time_recovery && each.value.keep_history
  }

  dynamic "ttl" {
    for_each = each.value.ttl[*]

    content {
      enabled        = true
      attribute_name = ttl.value
    }
  }

  dynamic "server_side_encryption" {
    for_each = var.kms_key_arn[*]

    content {
      enabled     = true
      kms_key_arn = server_side_encryption.value
    }
  }

  dynamic "on_demand_throughput" {
    for_each = each.key == "messages" ? var.max_write_units[*] : []

    content {
      max_write_request_units = on_demand_throughput.value
    }
  }
}
