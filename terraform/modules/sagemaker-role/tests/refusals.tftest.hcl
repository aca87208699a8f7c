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
    defaults = { arn = "arn:aws:iam::111122223333:role/wine" }
  }
}

variables {
  endpoint  = "wine"
  role_name = "wine"
}

run "endpoint_that_is_none" {
  command = plan
  variables {
    endpoint = "wine_1"
  }
  expect_failures = [var.endpoint]
}

run "role_without_room_for_the_deployers" {
  command = plan
  variables {
    role_name = "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"
  }
  expect_failures = [var.role_name]
}

run "everybody_as_deployer" {
  command = plan
  variables {
    deployer_principal_arns = ["*"]
  }
  expect_failures = [var.deployer_principal_arns]
}

run "bucket_without_a_scheme" {
  command = plan
  variables {
    bucket = "models"
  }
  expect_failures = [var.bucket]
}

run "answers_anywhere" {
  command = plan
  variables {
    async_uris = ["s3://*"]
  }
  expect_failures = [var.async_uris]
}

run "capture_without_a_scheme" {
  command = plan
  variables {
    capture_uri = "captured"
  }
  expect_failures = [var.capture_uri]
}

run "topic_by_its_name" {
  command = plan
  variables {
    topic_arns = ["good"]
  }
  expect_failures = [var.topic_arns]
}

run "key_by_its_alias" {
  command = plan
  variables {
    kms_key_arn = "alias/models"
  }
  expect_failures = [var.kms_key_arn]
}

run "base_by_its_address" {
  command = plan
  variables {
    base_repository_arns = ["763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-inference"]
  }
  expect_failures = [var.base_repository_arns]
}

run "group_that_is_none" {
  command = plan
  variables {
    package_group = "wines_1"
  }
  expect_failures = [var.package_group]
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
