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
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/team-tracking" }
  }
}

variables {
  name         = "team"
  cluster_name = "main"
}

run "name_without_room_for_the_deployers" {
  command = plan
  variables {
    name = "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"
  }
  expect_failures = [var.name]
}

run "cluster_by_its_arn" {
  command = plan
  variables {
    cluster_name = "arn:aws:eks:eu-west-1:111122223333:cluster/main"
  }
  expect_failures = [var.cluster_name]
}

run "issuer_by_its_address" {
  command = plan
  variables {
    oidc_provider_arn = "https://oidc.eks.eu-west-1.amazonaws.com/id/ABC"
  }
  expect_failures = [var.oidc_provider_arn]
}

run "every_service_account" {
  command = plan
  variables {
    tracking = { namespace = "mlflow", service_account = "*", bucket_arn = "arn:aws:s3:::team-models" }
  }
  expect_failures = [var.tracking]
}

run "every_bucket" {
  command = plan
  variables {
    tracking = { namespace = "mlflow", service_account = "tracking", bucket_arn = "*" }
  }
  expect_failures = [var.tracking]
}

run "every_prefix" {
  command = plan
  variables {
    tracking = { namespace = "mlflow", service_account = "tracking", bucket_arn = "arn:aws:s3:::team-models", prefixes = ["*"] }
  }
  expect_failures = [var.tracking]
}

run "every_key" {
  command = plan
  variables {
    tracking = { namespace = "mlflow", service_account = "tracking", bucket_arn = "arn:aws:s3:::team-models", kms_key_arns = ["*"] }
  }
  expect_failures = [var.tracking]
}

run "every_secret" {
  command = plan
  variables {
    tracking = { namespace = "mlflow", service_account = "tracking", bucket_arn = "arn:aws:s3:::team-models", secret_arns = ["*"] }
  }
  expect_failures = [var.tracking]
}

run "every_user_of_the_database" {
  command = plan
  variables {
    tracking = { namespace = "mlflow", service_account = "tracking", bucket_arn = "arn:aws:s3:::team-models", database = { resource_id = "db-ABC", user = "*" } }
  }
  expect_failures = [var.tracking]
}

run "every_namespace" {
  command = plan
  variables {
    deployer = { namespace = "*", service_account = "deployer", policy = "{\"Statement\": [{}]}" }
  }
  expect_failures = [var.deployer]
}

run "policy_without_a_statement" {
  command = plan
  variables {
    deployer = { namespace = "ci", service_account = "deployer", policy = "{}" }
  }
  expect_failures = [var.deployer]
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
