mock_provider "aws" {}

variables {
  name               = "prod-wine"
  execution_role_arn = "arn:aws:iam::111122223333:role/prod-wine"
  image              = "wine@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
}

run "endpoint_that_is_none" {
  command = plan
  variables {
    name = "prod_wine"
  }
  expect_failures = [var.name]
}

run "role_by_its_name" {
  command = plan
  variables {
    execution_role_arn = "wine"
  }
  expect_failures = [var.execution_role_arn]
}

run "image_by_its_tag" {
  command = plan
  variables {
    image = "wine:3"
  }
  expect_failures = [var.image]
}

run "data_that_is_no_archive" {
  command = plan
  variables {
    model_data_url = "s3://models/wine/"
  }
  expect_failures = [var.model_data_url]
}

run "variable_that_is_none" {
  command = plan
  variables {
    environment = { "1A" = "x" }
  }
  expect_failures = [var.environment]
}

run "instance_that_is_none" {
  command = plan
  variables {
    instances = { type = "m5.large" }
  }
  expect_failures = [var.instances]
}

run "no_instance" {
  command = plan
  variables {
    instances = { count = 0 }
  }
  expect_failures = [var.instances]
}

run "startup_in_no_time" {
  command = plan
  variables {
    instances = { startup_timeout_seconds = 59 }
  }
  expect_failures = [var.instances]
}

run "odd_memory" {
  command = plan
  variables {
    serverless = { memory_mb = 1000 }
  }
  expect_failures = [var.serverless]
}

run "network_without_instances" {
  command = plan
  variables {
    serverless        = {}
    network_isolation = true
  }
  expect_failures = [var.serverless]
}

run "vpc_without_a_group" {
  command = plan
  variables {
    vpc = { subnet_ids = ["subnet-1"], security_group_ids = [] }
  }
  expect_failures = [var.vpc]
}

run "key_by_its_alias" {
  command = plan
  variables {
    kms_key_arn = "alias/models"
  }
  expect_failures = [var.kms_key_arn]
}

run "capture_of_nothing" {
  command = plan
  variables {
    capture = { uri = "s3://captured", percent = 0 }
  }
  expect_failures = [var.capture]
}

run "capture_of_neither_side" {
  command = plan
  variables {
    capture = { uri = "s3://captured", input = false, output = false }
  }
  expect_failures = [var.capture]
}

run "answers_to_a_folder" {
  command = plan
  variables {
    asynchronous = { output_uri = "/answers" }
  }
  expect_failures = [var.asynchronous]
}
