resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:CloudWatch Logs encrypts at rest with its own key; the binaries never log a payload.
  #checkov:skip=CKV_AWS_338:How long logs are worth their price is the reader's choice, var.log_retention_days.
  name              = local.log_group
  retention_in_days = var.log_retention_days
}

# The binaries log one JSON object a line, with its level.
resource "aws_cloudwatch_log_metric_filter" "errors" {
  name           = "${var.name}-errors"
  log_group_name = aws_cloudwatch_log_group.this.name
  pattern        = "{ ($.level = \"error\") || ($.level = \"fatal\") || ($.level = \"panic\") }"

  metric_transformation {
    namespace     = "terraform-ecs-kinesis"
    name          = "${var.name}-errors"
    value         = "1"
    default_value = "0"
    unit          = "Count"
  }
}
