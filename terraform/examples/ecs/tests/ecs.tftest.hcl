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
  mock_resource "aws_security_group" {
    defaults = { id = "sg-1" }
  }
  mock_resource "aws_secretsmanager_secret" {
    defaults = { arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:mlflow/users-AbCdEf" }
  }
  mock_resource "aws_db_instance" {
    defaults = { address = "db.example.com", resource_id = "db-1", master_user_secret = [{ secret_arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:rds", kms_key_id = "1234", secret_status = "active" }] }
  }
  mock_resource "aws_lb" {
    defaults = { dns_name = "mlflow.elb.example.com", zone_id = "Z1" }
  }
}

variables {
  bucket             = "team-models"
  image              = "registry.example.com/tracking-server@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  host               = "mlflow.example.com"
  certificate_arn    = "arn:aws:acm:eu-west-1:111122223333:certificate/1234"
  vpc_id             = "vpc-1"
  private_subnet_ids = ["subnet-1", "subnet-2"]
  client_blocks      = ["10.0.0.0/8"]
  database_ca        = "-----BEGIN CERTIFICATE-----"
  admin_password     = "hunter2-hunter2" # not a secret: made up here
  session_key        = "0123456789abcdef"
}

run "server_has_database_bucket_and_users" {
  assert {
    condition     = strcontains(output.migrate_command, "--cluster mlflow") && output.balancer.zone_id == "Z1"
    error_message = "Migration and balancer are known."
  }
  assert {
    condition     = yamldecode(output.dockyard).registry.tracking_uri == "https://mlflow.example.com" && output.master_secret_arn == "arn:aws:secretsmanager:eu-west-1:111122223333:secret:rds"
    error_message = "Dockyard finds the server, and people the master's password."
  }
}

run "another_name_is_refused" {
  command = plan
  variables {
    name = "MLflow"
  }
  expect_failures = [var.name]
}
