mock_provider "aws" {}

variables {
  name        = "mlflow/users"
  description = "MLflow's users"
  kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/1234"
  values      = { admin-password = "hunter2" } # not a secret: made up here
}

run "name_like_an_arn" {
  command = plan
  variables {
    name = "mlflow-AbCdEf"
  }
  expect_failures = [var.name]
}

run "nothing_said" {
  command = plan
  variables {
    description = ""
  }
  expect_failures = [var.description]
}

run "key_by_its_alias" {
  command = plan
  variables {
    kms_key_arn = "alias/models"
  }
  expect_failures = [var.kms_key_arn]
}

run "no_value" {
  command = plan
  variables {
    values = {}
  }
  expect_failures = [var.values]
}

run "half_a_revision" {
  command = plan
  variables {
    revision = 1.5
  }
  expect_failures = [var.revision]
}

run "recovery_in_a_day" {
  command = plan
  variables {
    recovery_days = 1
  }
  expect_failures = [var.recovery_days]
}

run "tags_of_aws" {
  command = plan
  variables {
    tags = { "aws:x" = "y" }
  }
  expect_failures = [var.tags]
}
