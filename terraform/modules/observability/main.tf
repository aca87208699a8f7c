data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

data "aws_region" "this" {}

locals {
  account   = data.aws_caller_identity.this.account_id
  partition = data.aws_partition.this.partition
  region    = data.aws_region.this.region
  topic_arn = "arn:${local.partition}:sns:${local.region}:${local.account}:${var.name}"

  # Who may tell the topic something, and on behalf of what of this account.
  publishers = {
    Alarms  = { service = "cloudwatch.amazonaws.com", source = "arn:${local.partition}:cloudwatch:${local.region}:${local.account}:alarm:*" }
    Budgets = { service = "budgets.amazonaws.com", source = "arn:${local.partition}:budgets::${local.account}:*" }
  }
}

resource "aws_sns_topic" "this" {
  name              = var.name
  kms_master_key_id = var.kms_key_arn
  tags              = var.tags
}

resource "aws_sns_topic_policy" "this" {
  arn = aws_sns_topic.this.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      for sid, one in local.publishers : {
        Sid       = sid
        Effect    = "Allow"
        Principal = { Service = one.service }
        Action    = "sns:Publish"
        Resource  = local.topic_arn
        Condition = { StringEquals = { "aws:SourceAccount" = local.account }, ArnLike = { "aws:SourceArn" = one.source } }
      }
    ]
  })
}

resource "aws_sns_topic_subscription" "this" {
  for_each  = var.emails
  topic_arn = aws_sns_topic.this.arn
  protocol  = "email"
  endpoint  = each.key
}

resource "aws_budgets_budget" "this" {
  count        = var.monthly_budget == null ? 0 : 1
  name         = var.name
  budget_type  = "COST"
  limit_amount = tostring(var.monthly_budget)
  limit_unit   = "USD"
  time_unit    = "MONTHLY"
  tags         = var.tags

  dynamic "notification" {
    for_each = { ACTUAL = 80, FORECASTED = 100 }

    content {
      notification_type         = notification.key
      comparison_operator       = "GREATER_THAN"
      threshold                 = notification.value
      threshold_type            = "PERCENTAGE"
      subscriber_sns_topic_arns = [aws_sns_topic.this.arn]
    }
  }

  # AWS refuses a budget whose topic it may not tell anything.
  depends_on = [aws_sns_topic_policy.this]
}
