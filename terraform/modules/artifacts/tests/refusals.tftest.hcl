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

run "bucket_with_a_dot" {
  command = plan
  variables {
    bucket = "team.models"
  }
  expect_failures = [var.bucket]
}

run "bucket_in_capitals" {
  command = plan
  variables {
    bucket = "Team"
  }
  expect_failures = [var.bucket]
}

run "key_by_its_alias" {
  command = plan
  variables {
    kms_key_arn = "alias/models"
  }
  expect_failures = [var.kms_key_arn]
}

run "versions_for_no_day" {
  command = plan
  variables {
    noncurrent_days = 0
  }
  expect_failures = [var.noncurrent_days]
}

run "uploads_for_no_day" {
  command = plan
  variables {
    abort_multipart_days = 0.5
  }
  expect_failures = [var.abort_multipart_days]
}

run "prefix_that_is_everything" {
  command = plan
  variables {
    expire_prefix_days = { "" = 1 }
  }
  expect_failures = [var.expire_prefix_days]
}

run "prefix_for_no_day" {
  command = plan
  variables {
    expire_prefix_days = { "answers/" = 0 }
  }
  expect_failures = [var.expire_prefix_days]
}

run "log_of_its_own_accesses" {
  command = plan
  variables {
    log_bucket = "team-models"
  }
  expect_failures = [var.log_bucket]
}

run "tags_of_aws" {
  command = plan
  variables {
    tags = { "AWS:team" = "wine" }
  }
  expect_failures = [var.tags]
}
