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
  mock_resource "aws_eks_cluster" {
    defaults = { arn = "arn:aws:eks:eu-west-1:111122223333:cluster/mlflow" }
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

# Of mocked subnets all had the same id, and RDS wants two.
override_module {
  target = module.network
  outputs = {
    vpc_id             = "vpc-1"
    private_subnet_ids = ["subnet-1", "subnet-2"]
    cidr               = "10.0.0.0/16"
  }
}

override_resource {
  target = aws_eks_cluster.this
  values = { vpc_config = { cluster_security_group_id = "sg-nodes", vpc_id = "vpc-1" } }
}

variables {
  zones  = ["eu-west-1a", "eu-west-1b"]
  bucket = "team-models"
  image  = "registry.example.com/tracking-server@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  emails = ["team@example.com"]
}

run "cluster_is_private_logged_encrypted_and_protected" {
  assert {
    condition     = aws_eks_cluster.this.vpc_config[0].endpoint_private_access && !aws_eks_cluster.this.vpc_config[0].endpoint_public_access && aws_eks_cluster.this.deletion_protection
    error_message = "Only the VPC reaches it, and nobody deletes it by mistake."
  }
  assert {
    condition     = length(aws_eks_cluster.this.enabled_cluster_log_types) == 5 && aws_cloudwatch_log_group.cluster.retention_in_days == 365 && aws_eks_cluster.this.encryption_config[0].provider[0].key_arn == "arn:aws:kms:eu-west-1:111122223333:key/1234"
    error_message = "What it does is kept, and its Secrets are encrypted."
  }
  assert {
    condition     = aws_eks_cluster.this.compute_config[0].enabled && aws_eks_cluster.this.storage_config[0].block_storage[0].enabled && aws_eks_cluster.this.kubernetes_network_config[0].elastic_load_balancing[0].enabled && !aws_eks_cluster.this.bootstrap_self_managed_addons
    error_message = "Auto Mode is all of these at once."
  }
  assert {
    condition     = { for name, one in aws_iam_role_policy_attachment.this : name => one.policy_arn if startswith(name, "nodes") } == { "nodes: AmazonEC2ContainerRegistryPullOnly" = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly", "nodes: AmazonEKSWorkerNodeMinimalPolicy" = "arn:aws:iam::aws:policy/AmazonEKSWorkerNodeMinimalPolicy" }
    error_message = "Nodes join, and fetch images."
  }
  assert {
    condition     = jsondecode(aws_iam_role.this["cluster"].assume_role_policy).Statement[0].Condition.ArnLike["aws:SourceArn"] == "arn:aws:eks:eu-west-1:111122223333:cluster/mlflow" && !can(jsondecode(aws_iam_role.this["nodes"].assume_role_policy).Statement[0].Condition)
    error_message = "EKS becomes the role for this cluster only."
  }
}

run "chart_and_dockyard_know_what_was_made" {
  assert {
    condition     = output.cluster_name == "mlflow" && yamldecode(output.values).database.host == "db.example.com" && yamldecode(output.values).artifacts == { bucket = "team-models", prefix = "mlflow", region = "eu-west-1" }
    error_message = "The server knows database and bucket."
  }
  assert {
    condition     = yamldecode(output.values).networkPolicy.database == [{ ipBlock = { cidr = "10.0.0.0/16" } }] && yamldecode(output.values).backup.enabled
    error_message = "Pods reach the database, and backups are taken."
  }
  assert {
    condition     = keys(output.role_arns) == ["team-tracking", "team-tracking-backup", "team-tracking-migration"] && output.master_secret_arn == "arn:aws:secretsmanager:eu-west-1:111122223333:secret:rds"
    error_message = "Each account has a role."
  }
  assert {
    condition     = yamldecode(output.dockyard).environments.prod.k8s.namespace == "models" && yamldecode(output.dockyard).registry.tracking_uri == "http://team-tracking.mlflow"
    error_message = "Dockyard knows the server and where to deploy to."
  }
}

run "people_from_outside_have_a_host_and_passwords" {
  variables {
    ingress             = { host = "mlflow.example.com", class_name = "nginx", controller_namespace = "ingress-nginx", tls_secret = "tls" }
    users_secret        = "mlflow-users"
    kubernetes_version  = "1.34"
    deletion_protection = false
  }
  assert {
    condition     = yamldecode(output.values).auth == { mode = "basic", secretName = "mlflow-users" } && yamldecode(output.dockyard).registry.tracking_uri == "https://mlflow.example.com"
    error_message = "Users sign in under the host's name."
  }
  assert {
    condition     = aws_eks_cluster.this.version == "1.34" && !aws_eks_cluster.this.deletion_protection
    error_message = "The cluster is as it was asked for."
  }
}

run "another_name_is_refused" {
  command = plan
  variables {
    name = "MLflow"
  }
  expect_failures = [var.name]
}
