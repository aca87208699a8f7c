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
    defaults = { arn = "arn:aws:iam::111122223333:role/team-monitoring" }
  }
  mock_resource "aws_security_group" {
    defaults = { id = "sg-database" }
  }
  mock_resource "aws_db_parameter_group" {
    defaults = { name = "team-2026" }
  }
  mock_resource "aws_rds_cluster_parameter_group" {
    defaults = { name = "team-2026" }
  }
  mock_resource "aws_db_instance" {
    defaults = { address = "team.rds", resource_id = "db-ABC", master_user_secret = [{ kms_key_id = "", secret_status = "active", secret_arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:rds!db" }] }
  }
  mock_resource "aws_rds_cluster" {
    defaults = { endpoint = "team.cluster.rds", cluster_resource_id = "cluster-ABC", master_user_secret = [{ kms_key_id = "", secret_status = "active", secret_arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:rds!cluster" }] }
  }
}

variables {
  name                      = "team"
  vpc_id                    = "vpc-1"
  subnet_ids                = ["subnet-a", "subnet-b"]
  client_security_group_ids = { tracking = "sg-tracking" }
  kms_key_arn               = "arn:aws:kms:eu-west-1:111122223333:key/1234"
}

run "backups_for_a_week" {
  command = plan
  variables {
    backup_days = 7
  }
  expect_failures = [var.backup_days]
}

run "backups_at_no_time" {
  command = plan
  variables {
    backup_window = "25:00-26:00"
  }
  expect_failures = [var.backup_window]
}

run "maintenance_on_no_day" {
  command = plan
  variables {
    maintenance_window = "03:30-04:30"
  }
  expect_failures = [var.maintenance_window]
}

run "logs_for_days_that_cloudwatch_does_not_know" {
  command = plan
  variables {
    log_days = 10
  }
  expect_failures = [var.log_days]
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
