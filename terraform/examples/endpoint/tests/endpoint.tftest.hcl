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
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:111122223333:key/1234" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { id = "team-models", arn = "arn:aws:s3:::team-models" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/prod-wine" }
  }
  mock_resource "aws_ecr_repository" {
    defaults = { repository_url = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/dockyard/prod-wine" }
  }
  mock_resource "aws_sagemaker_endpoint" {
    defaults = { arn = "arn:aws:sagemaker:eu-west-1:111122223333:endpoint/prod-wine" }
  }
}

variables {
  bucket = "team-models"
}

run "everything_but_the_endpoint_comes_first" {
  assert {
    condition     = output.endpoint_arn == null && output.repository_url == "111122223333.dkr.ecr.eu-west-1.amazonaws.com/dockyard/prod-wine"
    error_message = "There is a repository and no endpoint."
  }
  assert {
    condition = yamldecode(output.dockyard_environment).environments.prod == {
      target = "sagemaker"
      sagemaker = {
        role        = "arn:aws:iam::111122223333:role/prod-wine"
        create_role = false
        bucket      = "s3://team-models"
        kms_key     = "arn:aws:kms:eu-west-1:111122223333:key/1234"
      }
    }
    error_message = "The environment names what was made."
  }
}

run "endpoint_comes_with_its_image" {
  variables {
    image         = "wine@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    instance_type = "ml.c5.large"
  }
  assert {
    condition     = output.endpoint_arn == "arn:aws:sagemaker:eu-west-1:111122223333:endpoint/prod-wine"
    error_message = "There is an endpoint."
  }
}

run "another_name_is_refused_where_dockyard_would_refuse_it" {
  command = plan
  variables {
    endpoint = "prod_wine"
  }
  expect_failures = [var.endpoint]
}
