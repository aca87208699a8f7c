mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_resource "aws_ecr_repository" {
    defaults = {
      arn            = "arn:aws:ecr:eu-west-1:111122223333:repository/dockyard/wine"
      repository_url = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/dockyard/wine"
    }
  }
}

variables {
  repositories = ["dockyard/wine"]
  kms_key_arn  = "arn:aws:kms:eu-west-1:111122223333:key/1234"
}

run "repository_in_capitals" {
  command = plan
  variables {
    repositories = ["My_Model"]
  }
  expect_failures = [var.repositories]
}

run "key_by_its_alias" {
  command = plan
  variables {
    kms_key_arn = "alias/models"
  }
  expect_failures = [var.kms_key_arn]
}

run "untagged_for_no_day" {
  command = plan
  variables {
    untagged_days = 0
  }
  expect_failures = [var.untagged_days]
}

run "rule_for_all_tags" {
  command = plan
  variables {
    keep_by_prefix = { "" = 10 }
  }
  expect_failures = [var.keep_by_prefix]
}

run "keeping_none" {
  command = plan
  variables {
    keep_by_prefix = { "ci-" = 0 }
  }
  expect_failures = [var.keep_by_prefix]
}

run "account_that_is_none" {
  command = plan
  variables {
    reader_account_ids = ["*"]
  }
  expect_failures = [var.reader_account_ids]
}

run "tags_of_aws" {
  command = plan
  variables {
    tags = { "AWS:team" = "wine" }
  }
  expect_failures = [var.tags]
}
