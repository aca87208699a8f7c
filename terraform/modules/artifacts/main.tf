data "aws_partition" "this" {}

locals {
  arn     = "arn:${data.aws_partition.this.partition}:s3:::${var.bucket}"
  objects = "${local.arn}/*"

  # Who names neither gets the bucket's defaults, which are right: so these are denied only where they are named.
  cipher = "s3:x-amz-server-side-encryption"
  key    = "s3:x-amz-server-side-encryption-aws-kms-key-id"

  # Each names this bucket, and only denies: who may do something is for the policies of roles to say.
  denials = {
    PlainHttp     = { Action = "s3:*", Resource = [local.arn, local.objects], Condition = { Bool = { "aws:SecureTransport" = "false" } } }
    OldTls        = { Action = "s3:*", Resource = [local.arn, local.objects], Condition = { NumericLessThan = { "s3:TlsVersion" = "1.2" } } }
    OtherCipher   = { Action = "s3:PutObject", Resource = local.objects, Condition = { Null = { (local.cipher) = "false" }, StringNotEquals = { (local.cipher) = "aws:kms" } } }
    OtherKey      = { Action = "s3:PutObject", Resource = local.objects, Condition = { Null = { (local.key) = "false" }, StringNotEquals = { (local.key) = var.kms_key_arn } } }
    CustomersKeys = { Action = "s3:PutObject", Resource = local.objects, Condition = { Null = { "s3:x-amz-server-side-encryption-customer-algorithm" = "false" } } }
  }
}

resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV2_AWS_62:Nothing waits for an object: MLflow and Dockyard ask
  #checkov:skip=CKV_AWS_144:Versions bring back what was deleted; a copy in another region is for who knows of one
  bucket        = var.bucket
  force_destroy = var.force_destroy
  tags          = var.tags
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket                  = aws_s3_bucket.this.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket.this.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [for sid, denial in local.denials : merge({ Sid = sid, Effect = "Deny", Principal = "*" }, denial)]
  })

  # S3 takes no two of these at a time.
  depends_on = [aws_s3_bucket_public_access_block.this]
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    id     = "versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = var.noncurrent_days
    }
    expiration {
      expired_object_delete_marker = true
    }
  }

  rule {
    id     = "uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = var.abort_multipart_days
    }
  }

  dynamic "rule" {
    for_each = var.expire_prefix_days

    content {
      id     = "expire-${trimsuffix(rule.key, "/")}"
      status = "Enabled"

      filter {
        prefix = rule.key
      }
      expiration {
        days = rule.value
      }
    }
  }

  # A rule about versions means nothing before there are any.
  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_logging" "this" {
  count         = var.log_bucket == null ? 0 : 1
  bucket        = aws_s3_bucket.this.id
  target_bucket = var.log_bucket
  target_prefix = "${var.bucket}/"
}
