mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:111122223333:key/1234" }
  }
}

variables {
  name = "dockyard/models"
}

run "name_of_aws" {
  command = plan
  variables {
    name = "aws/s3"
  }
  expect_failures = [var.name]
}

run "name_with_a_space" {
  command = plan
  variables {
    name = "my key"
  }
  expect_failures = [var.name]
}

run "deletion_that_aws_does_not_know" {
  command = plan
  variables {
    deletion_window_days = 6
  }
  expect_failures = [var.deletion_window_days]
}

run "rotation_that_aws_does_not_know" {
  command = plan
  variables {
    rotation_days = 30
  }
  expect_failures = [var.rotation_days]
}

run "user_that_is_no_role" {
  command = plan
  variables {
    user_arns = ["*"]
  }
  expect_failures = [var.user_arns]
}

run "service_that_is_none" {
  command = plan
  variables {
    services = ["sns"]
  }
  expect_failures = [var.services]
}

run "tags_of_aws" {
  command = plan
  variables {
    tags = { "aws:team" = "wine" }
  }
  expect_failures = [var.tags]
}
