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

run "an_instance_is_protected_and_encrypted" {
  assert {
    condition     = aws_db_instance.this[0].deletion_protection && !aws_db_instance.this[0].skip_final_snapshot && aws_db_instance.this[0].final_snapshot_identifier == "team-final"
    error_message = "Nothing is deleted by accident, and not without a snapshot."
  }
  assert {
    condition     = aws_db_instance.this[0].backup_retention_period == 14 && !aws_db_instance.this[0].delete_automated_backups && aws_db_instance.this[0].multi_az
    error_message = "It can be brought back to any second of 14 days, and a standby takes over."
  }
  assert {
    condition = aws_db_instance.this[0].storage_encrypted && alltrue([
      for key in [
        aws_db_instance.this[0].kms_key_id, aws_db_instance.this[0].master_user_secret_kms_key_id,
        aws_db_instance.this[0].performance_insights_kms_key_id, aws_cloudwatch_log_group.this["error"].kms_key_id
      ] : key == var.kms_key_arn
    ])
    error_message = "Storage, password, insights and logs are encrypted with the key."
  }
  assert {
    condition     = aws_db_instance.this[0].manage_master_user_password && aws_db_instance.this[0].password == null && aws_db_instance.this[0].password_wo == null
    error_message = "RDS makes the password, and no state has it."
  }
  assert {
    condition     = aws_db_instance.this[0].iam_database_authentication_enabled && !aws_db_instance.this[0].publicly_accessible
    error_message = "Roles may log in, and nobody from outside of the VPC."
  }
  assert {
    condition     = aws_db_instance.this[0].performance_insights_enabled && aws_db_instance.this[0].monitoring_interval == 60 && aws_db_instance.this[0].enabled_cloudwatch_logs_exports == toset(["error", "slowquery"])
    error_message = "The database is watched."
  }
  assert {
    condition     = length(aws_rds_cluster.this) + length(aws_rds_cluster_instance.this) + length(aws_rds_cluster_parameter_group.this) == 0
    error_message = "There is no cluster."
  }
}

run "migrations_can_make_triggers_and_tls_is_required" {
  assert {
    condition = tomap({ for one in aws_db_parameter_group.this[0].parameter : one.name => one.value }) == tomap({
      log_bin_trust_function_creators = "1", require_secure_transport = "ON", tls_version = "TLSv1.2,TLSv1.3"
      character_set_server            = "utf8mb4", log_output = "FILE", slow_query_log = "1"
    })
    error_message = "The parameters are what MLflow needs, and TLS."
  }
  assert {
    condition     = toset([for one in aws_db_parameter_group.this[0].parameter : one.name if one.apply_method == "immediate"]) == toset(["log_bin_trust_function_creators", "require_secure_transport"])
    error_message = "Parameters that can be are in force at once."
  }
  assert {
    condition     = aws_db_instance.this[0].parameter_group_name == "team-2026" && aws_db_parameter_group.this[0].family == "mysql8.4" && aws_db_instance.this[0].engine_version == "8.4"
    error_message = "The instance has the group."
  }
}

run "only_named_groups_connect" {
  assert {
    condition     = [for name, rule in aws_vpc_security_group_ingress_rule.this : "${name} ${rule.referenced_security_group_id} ${rule.from_port}-${rule.to_port}"] == ["tracking sg-tracking 3306-3306"]
    error_message = "A group is let in by name, and at one port."
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.this["tracking"].security_group_id == "sg-database" && aws_db_instance.this[0].vpc_security_group_ids == toset(["sg-database"])
    error_message = "The rule is the database's."
  }
  assert {
    condition     = aws_db_subnet_group.this.subnet_ids == toset(["subnet-a", "subnet-b"]) && aws_security_group.this.vpc_id == "vpc-1"
    error_message = "It is in the subnets that were given."
  }
}

run "monitoring_acts_for_this_database_only" {
  assert {
    condition = jsondecode(aws_iam_role.monitoring.assume_role_policy).Statement[0].Condition == {
      StringEquals = { "aws:SourceAccount" = "111122223333" }
      ArnEquals    = { "aws:SourceArn" = ["arn:aws:rds:eu-west-1:111122223333:db:team"] }
    }
    error_message = "The role is for this account's instance."
  }
  assert {
    condition     = aws_iam_role_policy_attachment.monitoring.policy_arn == "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
    error_message = "The role may write figures, as AWS' own policy says."
  }
}

run "outputs_are_the_instances" {
  assert {
    condition     = output.host == "team.rds" && output.port == 3306 && output.database_name == "mlflow" && output.identifier == "team"
    error_message = "Outputs say where the database is."
  }
  assert {
    condition     = output.resource_id == "db-ABC" && output.security_group_id == "sg-database" && endswith(output.master_secret_arn, "rds!db")
    error_message = "Outputs say what policies and groups name."
  }
}

run "everything_can_be_set" {
  variables {
    engine_version            = "8.0.43"
    instance                  = { class = "db.m7g.large", standby = false, storage_gib = 100, max_storage_gib = 500 }
    client_security_group_ids = {}
    database_name             = "tracking"
    master_username           = "keeper"
    parameters                = { max_connections = "500" }
    backup_days               = 35
    backup_window             = "23:00-23:45"
    maintenance_window        = "mon:01:00-mon:02:00"
    deletion_protection       = false
    log_days                  = 30
    permissions_boundary      = "arn:aws:iam::111122223333:policy/boundary"
    tags                      = { team = "wine" }
  }
  assert {
    condition     = aws_db_parameter_group.this[0].family == "mysql8.0" && { for one in aws_db_parameter_group.this[0].parameter : one.name => one.value }["max_connections"] == "500"
    error_message = "The group is of the version's series, and has further parameters."
  }
  assert {
    condition     = aws_db_instance.this[0].engine_version == "8.0.43" && aws_db_instance.this[0].instance_class == "db.m7g.large" && !aws_db_instance.this[0].multi_az
    error_message = "Version and instance are what was said."
  }
  assert {
    condition     = aws_db_instance.this[0].allocated_storage == 100 && aws_db_instance.this[0].max_allocated_storage == 500 && aws_db_instance.this[0].username == "keeper" && output.database_name == "tracking"
    error_message = "Storage and names are what was said."
  }
  assert {
    condition     = aws_db_instance.this[0].backup_retention_period == 35 && aws_db_instance.this[0].backup_window == "23:00-23:45" && aws_db_instance.this[0].maintenance_window == "mon:01:00-mon:02:00" && !aws_db_instance.this[0].deletion_protection
    error_message = "Times and protection are what was said."
  }
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.this) == 0 && aws_cloudwatch_log_group.this["error"].retention_in_days == 30 && aws_iam_role.monitoring.permissions_boundary == var.permissions_boundary
    error_message = "Nobody is let in, logs are kept, the role is bounded."
  }
  assert {
    condition     = alltrue([for tags in [aws_db_instance.this[0].tags, aws_security_group.this.tags, aws_iam_role.monitoring.tags, aws_db_subnet_group.this.tags] : tags == tomap({ team = "wine" })])
    error_message = "Everything has the tags."
  }
}
