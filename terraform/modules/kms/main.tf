data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

locals {
  account = data.aws_caller_identity.this.account_id
  root    = "arn:${data.aws_partition.this.partition}:iam::${local.account}:root"
  use     = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncryptFrom", "kms:ReEncryptTo"]

  # In a key's policy `*` is this key. Without the account's statement no IAM policy could allow anything, and nobody could mend this one.
  statements = {
    AccountDecides       = { Effect = "Allow", Principal = { AWS = local.root }, Action = "kms:*", Resource = "*" }
    Users                = { Effect = "Allow", Principal = { AWS = sort(var.user_arns) }, Action = local.use, Resource = "*" }
    UsersGrantToServices = { Effect = "Allow", Principal = { AWS = sort(var.user_arns) }, Action = "kms:CreateGrant", Resource = "*", Condition = local.for_services }
    # Not for another account that has the service act for it.
    Services = { Effect = "Allow", Principal = { Service = sort(var.services) }, Action = local.use, Resource = "*", Condition = local.for_account }
  }
  for_services = { Bool = { "kms:GrantIsForAWSResource" = "true" } }
  for_account  = { StringEquals = { "aws:SourceAccount" = local.account } }
  sids = concat(
    ["AccountDecides"],
    length(var.user_arns) > 0 ? ["Users", "UsersGrantToServices"] : [],
    length(var.services) > 0 ? ["Services"] : [],
  )
}

resource "aws_kms_key" "this" {
  description             = "Dockyard: ${var.name}"
  deletion_window_in_days = var.deletion_window_days
  enable_key_rotation     = true
  rotation_period_in_days = var.rotation_days
  policy                  = jsonencode({ Version = "2012-10-17", Statement = [for sid in local.sids : merge({ Sid = sid }, local.statements[sid])] })
  tags                    = var.tags
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.this.key_id
}
