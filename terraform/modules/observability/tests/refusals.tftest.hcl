mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { region = "eu-west-1" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-west-1:111122223333:team" }
  }
}

variables {
  name        = "team"
  kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/1234"
}

run "name_with_a_space" {
  command = plan
  variables {
    name = "my team"
  }
  expect_failures = [var.name]
}

run "key_by_its_alias" {
  command = plan
  variables {
    kms_key_arn = "alias/models"
  }
  expect_failures = [var.kms_key_arn]
}

run "address_without_a_host" {
  command = plan
  variables {
    emails = ["team"]
  }
  expect_failures = [var.emails]
}

run "budget_of_nothing" {
  command = plan
  variables {
    monthly_budget = 0
  }
  expect_failures = [var.monthly_budget]
}

run "endpoint_that_is_none" {
  command = plan
  variables {
    endpoints = ["wine_1"]
  }
  expect_failures = [var.endpoints]
}

run "database_in_capitals" {
  command = plan
  variables {
    database = { identifier = "Team" }
  }
  expect_failures = [var.database]
}

run "database_without_connections" {
  command = plan
  variables {
    database = { identifier = "team", max_connections = 0 }
  }
  expect_failures = [var.database]
}

run "tags_of_aws" {
  command = plan
  variables {
    tags = { "AWS:team" = "wine" }
  }
  expect_failures = [var.tags]
}
