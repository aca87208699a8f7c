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

run "name_in_capitals" {
  command = plan
  variables {
    name = "Team"
  }
  expect_failures = [var.name]
}

run "vpc_by_its_name" {
  command = plan
  variables {
    vpc_id = "main"
  }
  expect_failures = [var.vpc_id]
}

run "subnet_that_is_alone" {
  command = plan
  variables {
    subnet_ids = ["subnet-a"]
  }
  expect_failures = [var.subnet_ids]
}

run "subnets_by_their_names" {
  command = plan
  variables {
    subnet_ids = ["a", "b"]
  }
  expect_failures = [var.subnet_ids]
}

run "everybody_as_a_client" {
  command = plan
  variables {
    client_security_group_ids = { all = "0.0.0.0/0" }
  }
  expect_failures = [var.client_security_group_ids]
}

run "key_by_its_alias" {
  command = plan
  variables {
    kms_key_arn = "alias/models"
  }
  expect_failures = [var.kms_key_arn]
}

run "version_without_a_future" {
  command = plan
  variables {
    engine_version = "5.7"
  }
  expect_failures = [var.engine_version]
}

run "class_that_is_a_machines" {
  command = plan
  variables {
    instance = { class = "m7g.large" }
  }
  expect_failures = [var.instance]
}

run "storage_that_cannot_grow" {
  command = plan
  variables {
    instance = { storage_gib = 200 }
  }
  expect_failures = [var.instance]
}

run "cluster_without_servers" {
  command = plan
  variables {
    aurora = { instances = 0 }
  }
  expect_failures = [var.aurora]
}

run "capacity_that_shrinks" {
  command = plan
  variables {
    aurora = { min_capacity = 4, max_capacity = 2 }
  }
  expect_failures = [var.aurora]
}

run "database_with_a_dash" {
  command = plan
  variables {
    database_name = "ml-flow"
  }
  expect_failures = [var.database_name]
}

run "master_that_everybody_tries" {
  command = plan
  variables {
    master_username = "root"
  }
  expect_failures = [var.master_username]
}

run "parameters_that_turn_tls_off" {
  command = plan
  variables {
    parameters = { require_secure_transport = "OFF" }
  }
  expect_failures = [var.parameters]
}
