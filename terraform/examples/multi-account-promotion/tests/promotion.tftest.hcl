mock_provider "aws" {
  alias = "tools"
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:111111111111:key/1234" }
  }
  mock_resource "aws_ecr_repository" {
    defaults = { repository_url = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/dockyard/wine", arn = "arn:aws:ecr:eu-west-1:111111111111:repository/dockyard/wine" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111111111111" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { region = "eu-west-1" }
  }
}

mock_provider "aws" {
  alias = "staging"
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:222222222222:key/1234" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::222222222222:role/wine" }
  }
  mock_resource "aws_sagemaker_endpoint" {
    defaults = { arn = "arn:aws:sagemaker:eu-west-1:222222222222:endpoint/wine" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "222222222222" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { region = "eu-west-1" }
  }
}

mock_provider "aws" {
  alias = "prod"
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:333333333333:key/1234" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::333333333333:role/wine" }
  }
  mock_resource "aws_sagemaker_endpoint" {
    defaults = { arn = "arn:aws:sagemaker:eu-west-1:333333333333:endpoint/wine" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "333333333333" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { region = "eu-west-1" }
  }
}

variables {
  region = "eu-west-1"
  role_arns = {
    tools   = "arn:aws:iam::111111111111:role/terraform"
    staging = "arn:aws:iam::222222222222:role/terraform"
    prod    = "arn:aws:iam::333333333333:role/terraform"
  }
}

run "image_is_tried_where_nobody_is_served" {
  variables {
    images = { staging = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/dockyard/wine@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" }
  }
  assert {
    condition     = output.endpoint_arns == { staging = "arn:aws:sagemaker:eu-west-1:222222222222:endpoint/wine", prod = null }
    error_message = "There is one endpoint."
  }
  assert {
    condition     = yamldecode(output.dockyard).image.repository == output.repository_url && output.repository_url == "111111111111.dkr.ecr.eu-west-1.amazonaws.com/dockyard/wine"
    error_message = "All images are in one repository."
  }
}

run "image_is_promoted" {
  variables {
    images = {
      staging = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/dockyard/wine@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
      prod    = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/dockyard/wine@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    }
  }
  assert {
    condition     = output.endpoint_arns.prod == "arn:aws:sagemaker:eu-west-1:333333333333:endpoint/wine"
    error_message = "The second serves."
  }
}

run "nothing_is_promoted_untried" {
  command = plan
  variables {
    images = { prod = "111111111111.dkr.ecr.eu-west-1.amazonaws.com/dockyard/wine@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" }
  }
  expect_failures = [var.images]
}

run "one_account_is_not_enough" {
  command = plan
  variables {
    role_arns = { tools = "arn:aws:iam::111111111111:role/a", staging = "arn:aws:iam::111111111111:role/b", prod = "arn:aws:iam::111111111111:role/c" }
  }
  expect_failures = [var.role_arns]
}
