locals {
  log_group     = "/ecs/${var.name}"
  log_group_arn = "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:${local.log_group}"

  # ECS tasks of this account's clusters in this region, and nobody else.
  assume_by_tasks = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:ecs:${local.region}:${local.account}:*" }
      }
    }]
  })

  # What each binary calls. e2e/infra compares these with the calls in the source.
  consumer_statements = [
    {
      Sid      = "ReadStream"
      Effect   = "Allow"
      Action   = ["kinesis:DescribeStreamSummary", "kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:ListShards"]
      Resource = var.stream.arn
    },
    {
      Sid      = "StoreMessages"
      Effect   = "Allow"
      Action   = ["dynamodb:BatchWriteItem", "dynamodb:DescribeTable"]
      Resource = var.tables.messages.arn
    },
    {
      Sid      = "PutAsideAndRedrive"
      Effect   = "Allow"
      Action   = ["dynamodb:DeleteItem", "dynamodb:DescribeTable", "dynamodb:PutItem", "dynamodb:Scan"]
      Resource = var.tables.dead_letters.arn
    },
    {
      Sid      = "KeepLeases"
      Effect   = "Allow"
      Action   = ["dynamodb:DeleteItem", "dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan", "dynamodb:UpdateItem"]
      Resource = [var.tables.leases.arn, var.tables.workers.arn]
    },
  ]
  fan_out_statements = var.stream.fan_out == null ? [] : [{
    Sid      = "SubscribeToShards"
    Effect   = "Allow"
    Action   = ["kinesis:SubscribeToShard"]
    Resource = var.stream.fan_out.arn
  }]
  producer_statements = [{
    Sid      = "PutRecords"
    Effect   = "Allow"
    Action   = ["kinesis:DescribeStreamSummary", "kinesis:ListShards", "kinesis:PutRecords"]
    Resource = var.stream.arn
  }]

  # Keys of the user's own are used through the service, never directly.
  read_key_statements = var.stream.kms_key_arn == null ? [] : [{
    Sid       = "DecryptRecords"
    Effect    = "Allow"
    Action    = ["kms:Decrypt"]
    Resource  = var.stream.kms_key_arn
    Condition = { StringEquals = { "kms:ViaService" = "kinesis.${local.region}.amazonaws.com" } }
  }]
  write_key_statements = var.stream.kms_key_arn == null ? [] : [{
    Sid       = "EncryptRecords"
    Effect    = "Allow"
    Action    = ["kms:GenerateDataKey"]
    Resource  = var.stream.kms_key_arn
    Condition = { StringEquals = { "kms:ViaService" = "kinesis.${local.region}.amazonaws.com" } }
  }]
  table_key_statements = var.tables_kms_key_arn == null ? [] : [{
    Sid       = "UseTables"
    Effect    = "Allow"
    Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
    Resource  = var.tables_kms_key_arn
    Condition = { StringEquals = { "kms:ViaService" = "dynamodb.${local.region}.amazonaws.com" } }
  }]
}

resource "aws_iam_role" "consumer" {
  name               = "${var.name}-consumer"
  description        = "What consumer and leasekeeper may do"
  assume_role_policy = local.assume_by_tasks
}

resource "aws_iam_role_policy" "consumer" {
  name = "stream-and-tables"
  role = aws_iam_role.consumer.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = concat(local.consumer_statements, local.fan_out_statements, local.read_key_statements, local.table_key_statements)
  })
}

resource "aws_iam_role" "producer" {
  count = var.producer == "none" ? 0 : 1

  name               = "${var.name}-producer"
  description        = "What the producer may do"
  assume_role_policy = local.assume_by_tasks
}

resource "aws_iam_role_policy" "producer" {
  count = var.producer == "none" ? 0 : 1

  name = "stream"
  role = aws_iam_role.producer[0].id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = concat(local.producer_statements, local.write_key_statements)
  })
}

resource "aws_iam_role" "execution" {
  name               = "${var.name}-execution"
  description        = "What ECS does to start tasks: pull images, open log streams"
  assume_role_policy = local.assume_by_tasks
}

resource "aws_iam_role_policy" "execution" {
  name = "pull-and-log"
  role = aws_iam_role.execution.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "SignInToRegistry" # the action knows no resource
        Effect   = "Allow"
        Action   = ["ecr:GetAuthorizationToken"]
        Resource = "*"
      },
      {
        Sid      = "PullImages"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = [for repository in values(var.repositories) : repository.arn]
      },
      {
        Sid      = "WriteLogs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${local.log_group_arn}:*" # the streams of this one group
      },
    ]
  })
}
