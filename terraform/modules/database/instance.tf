resource "aws_db_parameter_group" "this" {
  count       = var.aurora == null ? 1 : 0
  name_prefix = "${var.name}-"
  family      = "mysql${local.series}"
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

  # Another series needs another group, while the database still has this one.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_instance" "this" {
  count                           = var.aurora == null ? 1 : 0
  identifier                      = var.name
  engine                          = local.engine
  engine_version                  = local.version
  auto_minor_version_upgrade      = true
  instance_class                  = var.instance.class
  multi_az                        = var.instance.standby
  allocated_storage               = var.instance.storage_gib
  max_allocated_storage           = var.instance.max_storage_gib
  storage_type                    = "gp3"
  storage_encrypted               = true
  kms_key_id                      = var.kms_key_arn
  db_name                         = var.database_name
  username                        = var.master_username
  manage_master_user_password     = true
  master_user_secret_kms_key_id   = var.kms_key_arn
  port                            = local.port
  db_subnet_group_name            = aws_db_subnet_group.this.name
  vpc_security_group_ids          = [aws_security_group.this.id]
  publicly_accessible             = false
  parameter_group_name            = aws_db_parameter_group.this[0].name
  backup_retention_period         = var.backup_days
  backup_window                   = var.backup_window
  maintenance_window              = var.maintenance_window
  copy_tags_to_snapshot           = true
  deletion_protection             = var.deletion_protection
  delete_automated_backups        = false
  skip_final_snapshot             = false
  final_snapshot_identifier       = local.snapshot
  enabled_cloudwatch_logs_exports = local.logs
  monitoring_interval             = 60
  monitoring_role_arn             = aws_iam_role.monitoring.arn
  performance_insights_enabled    = true
  performance_insights_kms_key_id = var.kms_key_arn
  tags                            = var.tags

  iam_database_authentication_enabled   = true
  performance_insights_retention_period = 7

  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy_attachment.monitoring]
}
