# What the tracking server may do: its artifacts, their key, its secrets, its database, and of each only what was named.
locals {
  folders   = try([for prefix in var.tracking.prefixes : "${prefix}/"], [])
  artifacts = [for folder in length(local.folders) == 0 ? [""] : local.folders : "${try(var.tracking.bucket_arn, "")}/${folder}*"]
  keys      = try(var.tracking.kms_key_arns, [])
  secrets   = try(var.tracking.secret_arns, [])
  database  = try(var.tracking.database, null)

  statements = concat(
    [{
      Sid      = "Artifacts"
      Effect   = "Allow"
      Action   = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject"]
      Resource = local.artifacts
    }],
    [for bucket in compact([try(var.tracking.bucket_arn, null)]) : {
      Sid      = "Bucket"
      Effect   = "Allow"
      Action   = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
      Resource = [bucket]
    }],
    # Only on behalf of the services that keep what is encrypted, so that the key is of no use for anything else.
    [for keys in [local.keys] : {
      Sid      = "Keys"
      Effect   = "Allow"
      Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource = keys
      Condition = {
        StringEquals = { "kms:ViaService" = [for service in ["s3", "secretsmanager"] : "${service}.${local.region}.amazonaws.com"] }
      }
    } if length(keys) > 0],
    [for secrets in [local.secrets] : {
      Sid      = "Secrets"
      Effect   = "Allow"
      Action   = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
      Resource = secrets
    } if length(secrets) > 0],
    [for database in [local.database] : {
      Sid      = "Database"
      Effect   = "Allow"
      Action   = ["rds-db:connect"]
      Resource = ["arn:${local.partition}:rds-db:${local.region}:${local.account}:dbuser:${database.resource_id}/${database.user}"]
    } if database != null],
  )
}
