mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { id = "team-models", arn = "arn:aws:s3:::team-models" }
  }
}

variables {
  bucket      = "team-models"
  kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/1234"
}

run "public_access_is_blocked_four_ways_and_there_are_no_acls" {
  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this.block_public_acls, aws_s3_bucket_public_access_block.this.block_public_policy,
      aws_s3_bucket_public_access_block.this.ignore_public_acls, aws_s3_bucket_public_access_block.this.restrict_public_buckets,
    ])
    error_message = "Public access is blocked four ways."
  }
  assert {
    condition     = one(aws_s3_bucket_ownership_controls.this.rule).object_ownership == "BucketOwnerEnforced"
    error_message = "There are no ACLs."
  }
}

run "policy_denies_and_never_allows" {
  assert {
    condition     = alltrue([for one in jsondecode(aws_s3_bucket_policy.this.policy).Statement : one.Effect == "Deny"])
    error_message = "The policy only denies."
  }
  assert {
    condition     = toset([for one in jsondecode(aws_s3_bucket_policy.this.policy).Statement : one.Sid]) == toset(["PlainHttp", "OldTls", "OtherCipher", "OtherKey", "CustomersKeys"])
    error_message = "TLS only, KMS only, and no other key."
  }
  assert {
    condition = alltrue([
      for one in jsondecode(aws_s3_bucket_policy.this.policy).Statement :
      alltrue([for arn in flatten([one.Resource]) : startswith(arn, "arn:aws:s3:::team-models")])
    ])
    error_message = "Every statement names this bucket."
  }
  assert {
    condition = alltrue([
      for one in jsondecode(aws_s3_bucket_policy.this.policy).Statement :
      keys(one.Condition.StringNotEquals) == keys(one.Condition.Null) && alltrue([for present in values(one.Condition.Null) : present == "false"])
      if startswith(one.Sid, "Other")
    ])
    error_message = "An upload that names no key gets the bucket's, and is not denied."
  }
  assert {
    condition     = [for one in jsondecode(aws_s3_bucket_policy.this.policy).Statement : one.Condition.StringNotEquals["s3:x-amz-server-side-encryption-aws-kms-key-id"] if one.Sid == "OtherKey"] == ["arn:aws:kms:eu-west-1:111122223333:key/1234"]
    error_message = "The key is the one that was given."
  }
}

run "objects_are_encrypted_versioned_and_cleared_up_after" {
  assert {
    condition     = one(aws_s3_bucket_versioning.this.versioning_configuration).status == "Enabled"
    error_message = "Versioning is on."
  }
  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).kms_master_key_id == var.kms_key_arn
    error_message = "Objects are encrypted with the key."
  }
  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.this.rule).bucket_key_enabled
    error_message = "S3 asks KMS once for many objects."
  }
  assert {
    condition     = [for rule in aws_s3_bucket_lifecycle_configuration.this.rule : rule.id] == ["versions", "uploads"]
    error_message = "By default nothing that is current expires."
  }
  assert {
    condition     = one(aws_s3_bucket_lifecycle_configuration.this.rule[0].noncurrent_version_expiration).noncurrent_days == 90 && one(aws_s3_bucket_lifecycle_configuration.this.rule[1].abort_incomplete_multipart_upload).days_after_initiation == 7
    error_message = "Versions go after 90 days, parts of uploads after 7."
  }
  assert {
    condition     = length(aws_s3_bucket_logging.this) == 0 && !aws_s3_bucket.this.force_destroy
    error_message = "Accesses are not logged, and a bucket with objects is not destroyed."
  }
}

run "outputs_are_the_buckets" {
  assert {
    condition     = output.bucket == "team-models" && output.uri == "s3://team-models" && output.bucket_arn == "arn:aws:s3:::team-models"
    error_message = "Outputs name the bucket."
  }
}

run "everything_can_be_set" {
  variables {
    noncurrent_days      = 30
    abort_multipart_days = 1
    expire_prefix_days   = { "answers/" = 14 }
    log_bucket           = "access-logs"
    force_destroy        = true
    tags                 = { team = "wine" }
  }
  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.this.rule[2].id == "expire-answers" && one(aws_s3_bucket_lifecycle_configuration.this.rule[2].expiration).days == 14 && one(aws_s3_bucket_lifecycle_configuration.this.rule[2].filter).prefix == "answers/"
    error_message = "A prefix has a rule of its own."
  }
  assert {
    condition     = aws_s3_bucket_logging.this[0].target_bucket == "access-logs" && aws_s3_bucket_logging.this[0].target_prefix == "team-models/"
    error_message = "Accesses are logged."
  }
  assert {
    condition     = one(aws_s3_bucket_lifecycle_configuration.this.rule[0].noncurrent_version_expiration).noncurrent_days == 30 && one(aws_s3_bucket_lifecycle_configuration.this.rule[1].abort_incomplete_multipart_upload).days_after_initiation == 1
    error_message = "Days reach the rules."
  }
  assert {
    condition     = aws_s3_bucket.this.force_destroy && aws_s3_bucket.this.tags == tomap({ team = "wine" })
    error_message = "Settings reach the bucket."
  }
}
