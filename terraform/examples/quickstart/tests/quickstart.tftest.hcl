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
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/mlflow" }
  }
  mock_resource "aws_ecr_repository" {
    defaults = { repository_url = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/mlflow/models" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { id = "team-models", arn = "arn:aws:s3:::team-models" }
  }
  mock_resource "aws_security_group" {
    defaults = { id = "sg-1" }
  }
  mock_resource "aws_db_instance" {
    defaults = { address = "db.example.com", resource_id = "db-ABC", master_user_secret = [{ secret_arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:rds", kms_key_id = "1234", secret_status = "active" }] }
  }
}

variables {
  cluster_name           = "team"
  node_security_group_id = "sg-nodes"
  vpc_id                 = "vpc-1"
  database_subnets       = { subnet-1 = "10.0.8.0/24", subnet-2 = "10.0.9.0/24" }
  bucket                 = "team-models"
  image                  = "registry.example.com/tracking-server@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
}

run "chart_and_dockyard_know_what_was_made" {
  assert {
    condition     = yamldecode(output.values).database.host == "db.example.com" && yamldecode(output.values).artifacts == { bucket = "team-models", prefix = "mlflow", region = "eu-west-1" }
    error_message = "The server knows database and bucket."
  }
  assert {
    condition     = yamldecode(output.values).networkPolicy.database == [{ ipBlock = { cidr = "10.0.8.0/24" } }, { ipBlock = { cidr = "10.0.9.0/24" } }]
    error_message = "Pods reach the database's subnets."
  }
  assert {
    condition     = keys(output.role_arns) == ["team-tracking", "team-tracking-migration"] && output.master_secret_arn == "arn:aws:secretsmanager:eu-west-1:111122223333:secret:rds"
    error_message = "Each account has a role."
  }
  assert {
    condition     = yamldecode(output.dockyard).environments.prod.k8s.namespace == "models" && yamldecode(output.dockyard).image.repository == "111122223333.dkr.ecr.eu-west-1.amazonaws.com/mlflow/models"
    error_message = "Dockyard knows where to deploy to, and where images go."
  }
}

run "another_name_is_refused" {
  command = plan
  variables {
    name = "MLflow"
  }
  expect_failures = [var.name]
}
