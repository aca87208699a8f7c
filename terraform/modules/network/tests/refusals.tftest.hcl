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
  mock_resource "aws_vpc" {
    defaults = { id = "vpc-1" }
  }
  mock_resource "aws_security_group" {
    defaults = { id = "sg-endpoints" }
  }
  mock_resource "aws_internet_gateway" {
    defaults = { id = "igw-1" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/team-flow-logs" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/vpc/team" }
  }
}

variables {
  name        = "team"
  zones       = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
  kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/1234"
}

run "name_in_capitals" {
  command = plan
  variables {
    name = "Team"
  }
  expect_failures = [var.name]
}

run "addresses_of_the_internet" {
  command = plan
  variables {
    cidr = "8.8.0.0/16"
  }
  expect_failures = [var.cidr]
}

run "block_that_does_not_begin_there" {
  command = plan
  variables {
    cidr = "10.0.1.0/16"
  }
  expect_failures = [var.cidr]
}

run "block_that_is_too_small" {
  command = plan
  variables {
    cidr = "10.0.0.0/24"
  }
  expect_failures = [var.cidr]
}

run "one_zone" {
  command = plan
  variables {
    zones = ["eu-west-1a"]
  }
  expect_failures = [var.zones]
}

run "gateways_that_are_none" {
  command = plan
  variables {
    nat = "two"
  }
  expect_failures = [var.nat]
}

run "endpoint_for_s3_besides" {
  command = plan
  variables {
    interface_endpoints = ["s3"]
  }
  expect_failures = [var.interface_endpoints]
}

run "every_bucket" {
  command = plan
  variables {
    readable_buckets = ["*"]
  }
  expect_failures = [var.readable_buckets]
}

run "private_tags_of_aws" {
  command = plan
  variables {
    private_subnet_tags = { "aws:team" = "wine" }
  }
  expect_failures = [var.private_subnet_tags]
}

run "public_tags_of_aws" {
  command = plan
  variables {
    public_subnet_tags = { "aws:team" = "wine" }
  }
  expect_failures = [var.public_subnet_tags]
}

run "logs_for_days_that_cloudwatch_does_not_know" {
  command = plan
  variables {
    flow_log_days = 10
  }
  expect_failures = [var.flow_log_days]
}

run "key_by_its_alias" {
  command = plan
  variables {
    kms_key_arn = "alias/models"
  }
  expect_failures = [var.kms_key_arn]
}

run "boundary_that_is_no_policy" {
  command = plan
  variables {
    permissions_boundary = "boundary"
  }
  expect_failures = [var.permissions_boundary]
}

run "tags_of_aws" {
  command = plan
  variables {
    tags = { "AWS:team" = "wine" }
  }
  expect_failures = [var.tags]
}

run "gateway_without_a_public_subnet" {
  command = plan
  variables {
    public_subnets = false
    nat            = "one"
  }
  expect_failures = [var.nat]
}

run "zone_twice" {
  command = plan
  variables {
    zones = ["eu-west-1a", "eu-west-1a"]
  }
  expect_failures = [var.zones]
}

run "zone_that_is_a_region" {
  command = plan
  variables {
    zones = ["eu-west-1", "eu-west-2"]
  }
  expect_failures = [var.zones]
}
