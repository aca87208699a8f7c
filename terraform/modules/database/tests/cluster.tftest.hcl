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

run "a_cluster_keeps_the_same_promises" {
  variables {
    aurora = {}
  }
  assert {
    condition     = aws_rds_cluster.this[0].deletion_protection && !aws_rds_cluster.this[0].skip_final_snapshot && aws_rds_cluster.this[0].final_snapshot_identifier == "team-final" && aws_rds_cluster.this[0].backup_retention_period == 14
    error_message = "Nothing is deleted by accident, and 14 days can be brought back."
  }
  assert {
    condition     = aws_rds_cluster.this[0].storage_encrypted && aws_rds_cluster.this[0].kms_key_id == var.kms_key_arn && aws_rds_cluster.this[0].master_user_secret_kms_key_id == var.kms_key_arn
    error_message = "Storage and password are encrypted with the key."
  }
  assert {
    condition     = aws_rds_cluster.this[0].manage_master_user_password && aws_rds_cluster.this[0].master_password == null && aws_rds_cluster.this[0].iam_database_authentication_enabled
    error_message = "RDS makes the password, and roles may log in."
  }
  assert {
    condition     = length(aws_db_instance.this) + length(aws_db_parameter_group.this) == 0
    error_message = "There is no instance besides."
  }
}

run "a_clusters_parameters_are_those_of_an_instance_and_its_audit" {
  variables {
    aurora     = {}
    parameters = { max_connections = "500" }
  }
  assert {
    condition = tomap({ for one in aws_rds_cluster_parameter_group.this[0].parameter : one.name => one.value }) == tomap({
      log_bin_trust_function_creators = "1", require_secure_transport = "ON", tls_version = "TLSv1.2,TLSv1.3"
      character_set_server            = "utf8mb4", log_output = "FILE", slow_query_log = "1"
      server_audit_logging            = "1", server_audit_events = "CONNECT,QUERY_DCL,QUERY_DDL", max_connections = "500"
    })
    error_message = "The parameters are what MLflow needs, TLS, and who did what."
  }
  assert {
    condition     = toset([for one in aws_rds_cluster_parameter_group.this[0].parameter : one.name if one.apply_method == "immediate"]) == toset(["log_bin_trust_function_creators", "require_secure_transport"])
    error_message = "Parameters that can be are in force at once."
  }
  assert {
    condition     = aws_rds_cluster_parameter_group.this[0].family == "aurora-mysql8.0" && aws_rds_cluster.this[0].db_cluster_parameter_group_name == "team-2026"
    error_message = "The cluster has the group."
  }
}

run "a_cluster_has_two_servers_that_are_watched" {
  variables {
    aurora = {}
  }
  assert {
    condition     = keys(aws_rds_cluster_instance.this) == ["team-1", "team-2"] && alltrue([for one in aws_rds_cluster_instance.this : one.performance_insights_enabled && one.monitoring_interval == 60 && !one.publicly_accessible])
    error_message = "One server writes, another takes over."
  }
  assert {
    condition     = keys(aws_cloudwatch_log_group.this) == ["audit", "error", "slowquery"] && aws_cloudwatch_log_group.this["audit"].name == "/aws/rds/cluster/team/audit"
    error_message = "Logs are the cluster's."
  }
  assert {
    condition     = jsondecode(aws_iam_role.monitoring.assume_role_policy).Statement[0].Condition.ArnEquals["aws:SourceArn"] == ["arn:aws:rds:eu-west-1:111122223333:db:team-1", "arn:aws:rds:eu-west-1:111122223333:db:team-2"]
    error_message = "The role is for these servers."
  }
}

run "a_cluster_is_as_large_as_was_said" {
  variables {
    aurora         = { instances = 1, min_capacity = 0.5, max_capacity = 2 }
    engine_version = "8.0.mysql_aurora.3.10.1"
  }
  assert {
    condition     = keys(aws_rds_cluster_instance.this) == ["team-1"] && aws_rds_cluster_instance.this["team-1"].instance_class == "db.serverless"
    error_message = "There is one server."
  }
  assert {
    condition     = one(aws_rds_cluster.this[0].serverlessv2_scaling_configuration).min_capacity == 0.5 && one(aws_rds_cluster.this[0].serverlessv2_scaling_configuration).max_capacity == 2
    error_message = "Capacity is what was said."
  }
  assert {
    condition     = aws_rds_cluster_parameter_group.this[0].family == "aurora-mysql8.0" && aws_rds_cluster_instance.this["team-1"].engine_version == "8.0.mysql_aurora.3.10.1"
    error_message = "The group is of the version's series."
  }
}

run "outputs_are_the_clusters" {
  variables {
    aurora = {}
  }
  assert {
    condition     = output.host == "team.cluster.rds" && output.port == 3306 && output.identifier == "team"
    error_message = "Outputs say where the database is."
  }
  assert {
    condition     = output.resource_id == "cluster-ABC" && endswith(output.master_secret_arn, "rds!cluster")
    error_message = "Outputs say what policies name."
  }
}
