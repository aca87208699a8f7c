locals {
  repository = split("@", var.image)[0]
  account    = data.aws_caller_identity.this.account_id
  partition  = data.aws_partition.this.partition
  region     = data.aws_region.this.region
  bucket_arn = "arn:${local.partition}:s3:::${var.artifacts.bucket}"
  is_ecr     = strcontains(local.repository, ".dkr.ecr.")

  # What starts a task may pull its image, write its logs and read its secret; what runs in it may reach bucket and database.
  statements = {
    execution = concat(
      [{ Sid = "Logs", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = ["${aws_cloudwatch_log_group.this.arn}:*"] }],
      [for name in [local.repository] : {
        Sid      = "Image"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = ["arn:${local.partition}:ecr:${local.region}:${split(".", name)[0]}:repository/${trimprefix(name, "${split("/", name)[0]}/")}"]
      } if local.is_ecr],
      # ECR has no resource for it.
      [for name in [local.repository] : { Sid = "Login", Action = ["ecr:GetAuthorizationToken"], Resource = ["*"] } if local.is_ecr],
      [for arn in [var.users_secret_arn] : { Sid = "Users", Action = ["secretsmanager:GetSecretValue"], Resource = [arn] } if arn != null],
      [{ Sid = "Key", Action = ["kms:Decrypt"], Resource = [var.kms_key_arn] }],
    )
    task = [
      { Sid = "Bucket", Action = ["s3:ListBucket", "s3:GetBucketLocation"], Resource = [local.bucket_arn] },
      { Sid = "Artifacts", Action = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"], Resource = ["${local.bucket_arn}/${var.artifacts.prefix}/*"] },
      { Sid = "Key", Action = ["kms:Decrypt", "kms:GenerateDataKey"], Resource = [var.kms_key_arn] },
      { Sid = "Database", Action = ["rds-db:connect"], Resource = ["arn:${local.partition}:rds-db:${local.region}:${local.account}:dbuser:${var.database.resource_id}/${var.database.user}"] },
    ]
  }
}

resource "aws_iam_role" "this" {
  for_each             = local.statements
  name                 = "${var.name}-${each.key}"
  description          = "Dockyard: ${each.key} role of ${var.name} on ECS"
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Tasks"
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      # Not for another account's task that ECS acts for.
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:ecs:${local.region}:${local.account}:*" }
      }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  for_each = local.statements
  name     = "tracking"
  role     = aws_iam_role.this[each.key].name
  policy   = jsonencode({ Version = "2012-10-17", Statement = [for one in each.value : merge({ Effect = "Allow" }, one)] })
}
