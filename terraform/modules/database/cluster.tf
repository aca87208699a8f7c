# A cluster's group has the parameters of its servers too, which have none of their own.
resource "aws_rds_cluster_parameter_group" "this" {
  count       = var.aurora == null ? 0 : 1
  name_prefix = "${var.name}-"
  family      = "aurora-mysql${local.series}"
  description = "Dockyard: ${var.name}"
  tags        = var.tags

  dynamic "parameter" {
    for_each = local.parameters

    content {
      name         = parameter.key
      value        = parameter.value
      apply_method = contains(local.at_once, parameter.key) ? "immediate" : "pending-reboot"
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_rds_cluster" "this" {
  #checkov:skip=CKV2_AWS_8:Recovery to any second of the last days is the cluster's own; a plan of AWS Backup is for who owns the account
  count                           = var.aurora == null ? 0 : 1
  cluster_identifier              = var.name
  engine                          = local.engine
  engine_version                  = local.version
  storage_encrypted               = true
  kms_key_id                      = var.kms_key_arn
  database_name                   = var.database_name
  master_username                 = var.master_username
  manage_master_user_password     = true
  master_user_secret_kms_key_id   = var.kms_key_arn
  port                            = local.port
  db_subnet_group_name            = aws_db_subnet_group.this.name
  vpc_security_group_ids          = [aws_security_group.this.id]
  db_cluster_parameter_group_name = aws_rds_cluster_parameter_group.this[0].name
  backup_retention_period         = var.backup_days
  preferred_backup_window         = var.backup_window
  preferred_maintenance_window    = var.maintenance_window
  copy_tags_to_snapshot           = true
  deletion_protection             = var.deletion_protection
  delete_automated_backups        = false
  skip_final_snapshot             = false
  final_snapshot_identifier       = local.snapshot
  enabled_cloudwatch_logs_exports = local.logs
  tags                            = var.tags

  iam_database_authentication_enabled = true

  serverlessv2_scaling_configuration {
    min_capacity = var.aurora.min_capacity
    max_capacity = var.aurora.max_capacity
  }

  depends_on = [aws_cloudwatch_log_group.this]
}

resource "aws_rds_cluster_instance" "this" {
  for_each                        = toset(local.writers)
  identifier                      = each.key
  cluster_identifier              = aws_rds_cluster.this[0].id
  engine                          = local.engine
  engine_version                  = aws_rds_cluster.this[0].engine_version
  auto_minor_version_upgrade      = true
  instance_class                  = "db.serverless"
  db_subnet_group_name            = aws_db_subnet_group.this.name
  publicly_accessible             = false
  copy_tags_to_snapshot           = true
  monitoring_interval             = 60
  monitoring_role_arn             = aws_iam_role.monitoring.arn
  performance_insights_enabled    = true
  performance_insights_kms_key_id = var.kms_key_arn
  tags                            = var.tags

  performance_insights_retention_period = 7

  depends_on = [aws_iam_role_policy_attachment.monitoring]
}
