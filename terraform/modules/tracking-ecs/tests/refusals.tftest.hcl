mock_provider "aws" {}

variables {
  name                = "mlflow"
  image               = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/tracking-server@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  host                = "mlflow.example.com"
  certificate_arn     = "arn:aws:acm:eu-west-1:111122223333:certificate/1234"
  vpc_id              = "vpc-1"
  private_subnet_ids  = ["subnet-1", "subnet-2"]
  balancer_subnet_ids = ["subnet-3", "subnet-4"]
  client_blocks       = ["10.0.0.0/16"]
  kms_key_arn         = "arn:aws:kms:eu-west-1:111122223333:key/1234"
  artifacts           = { bucket = "team-models" }
  database            = { host = "db.example.com", resource_id = "db-1", security_group_id = "sg-db", ca = "-----BEGIN CERTIFICATE-----" }
}

run "name_in_capitals" {
  command = plan
  variables {
    name = "MLflow"
  }
  expect_failures = [var.name]
}

run "image_by_its_tag" {
  command = plan
  variables {
    image = "registry.example.com/tracking:1"
  }
  expect_failures = [var.image]
}

run "host_with_a_scheme" {
  command = plan
  variables {
    host = "https://mlflow.example.com"
  }
  expect_failures = [var.host]
}

run "certificate_by_its_name" {
  command = plan
  variables {
    certificate_arn = "mlflow"
  }
  expect_failures = [var.certificate_arn]
}

run "vpc_by_its_name" {
  command = plan
  variables {
    vpc_id = "main"
  }
  expect_failures = [var.vpc_id]
}

run "one_subnet" {
  command = plan
  variables {
    private_subnet_ids = ["subnet-1"]
  }
  expect_failures = [var.private_subnet_ids]
}

run "subnets_of_another_kind" {
  command = plan
  variables {
    balancer_subnet_ids = ["a", "b"]
  }
  expect_failures = [var.balancer_subnet_ids]
}

run "clients_that_are_no_block" {
  command = plan
  variables {
    client_blocks = ["10.0.0.0"]
  }
  expect_failures = [var.client_blocks]
}

run "everybody_without_a_password" {
  command = plan
  variables {
    client_blocks = ["0.0.0.0/0"]
  }
  expect_failures = [var.client_blocks]
}

run "database_without_a_group" {
  command = plan
  variables {
    database = { host = "db", resource_id = "db-1", security_group_id = "db", ca = "-----BEGIN CERTIFICATE-----" }
  }
  expect_failures = [var.database]
}

run "certificates_by_their_path" {
  command = plan
  variables {
    database = { host = "db", resource_id = "db-1", security_group_id = "sg-1", ca = "bundle.pem" }
  }
  expect_failures = [var.database]
}

run "bucket_in_capitals" {
  command = plan
  variables {
    artifacts = { bucket = "Models" }
  }
  expect_failures = [var.artifacts]
}

run "key_by_its_alias" {
  command = plan
  variables {
    kms_key_arn = "alias/models"
  }
  expect_failures = [var.kms_key_arn]
}

run "secret_by_its_value" {
  command = plan
  variables {
    users_secret_arn = "hunter2" # not a secret: it is refused
  }
  expect_failures = [var.users_secret_arn]
}

run "more_cpu_than_memory" {
  command = plan
  variables {
    capacity = { cpu = 1024, memory_mb = 1024 }
  }
  expect_failures = [var.capacity]
}

run "days_that_cloudwatch_has_not" {
  command = plan
  variables {
    log_days = 2
  }
  expect_failures = [var.log_days]
}

run "bucket_for_logs_by_its_uri" {
  command = plan
  variables {
    access_logs_bucket = "s3://logs"
  }
  expect_failures = [var.access_logs_bucket]
}

run "boundary_by_its_name" {
  command = plan
  variables {
    permissions_boundary = "bound"
  }
  expect_failures = [var.permissions_boundary]
}

run "tags_of_aws" {
  command = plan
  variables {
    tags = { "aws:x" = "y" }
  }
  expect_failures = [var.tags]
}
