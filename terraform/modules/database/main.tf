data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

data "aws_region" "this" {}

locals {
  engine   = var.aurora == null ? "mysql" : "aurora-mysql"
  version  = coalesce(var.engine_version, var.aurora == null ? "8.4" : "8.0")
  series   = join(".", slice(split(".", local.version), 0, 2))
  writers  = var.aurora == null ? [] : [for number in range(1, var.aurora.instances + 1) : "${var.name}-${number}"]
  servers  = var.aurora == null ? [var.name] : local.writers
  logs     = toset(var.aurora == null ? ["error", "slowquery"] : ["audit", "error", "slowquery"])
  snapshot = "${var.name}-final"
  port     = 3306
  source_arns = [
    for server in local.servers :
    "arn:${data.aws_partition.this.partition}:rds:${data.aws_region.this.region}:${data.aws_caller_identity.this.account_id}:db:${server}"
  ]

  # With backups the server keeps a binary log, and refuses to make triggers then, which MLflow's migrations do (error 1419).
  needed = merge(
    {
      log_bin_trust_function_creators = "1"
      require_secure_transport        = "ON"
      tls_version                     = "TLSv1.2,TLSv1.3"
      character_set_server            = "utf8mb4"
      log_output                      = "FILE"
      slow_query_log                  = "1"
    },
    var.aurora == null ? {} : { server_audit_logging = "1", server_audit_events = "CONNECT,QUERY_DCL,QUERY_DDL" },
  )
  # What is set for a running server at once; others wait until it starts again, which is always allowed.
  at_once    = ["log_bin_trust_function_creators", "require_secure_transport"]
  parameters = merge(var.parameters, local.needed)
}

resource "aws_db_subnet_group" "this" {
  name        = var.name
  description = "Dockyard: ${var.name}"
  subnet_ids  = var.subnet_ids
  tags        = var.tags
}

# Without rules for traffic that goes out: a database only answers.
resource "aws_security_group" "this" {
  name        = "${var.name}-database"
  description = "Dockyard: who may connect to ${var.name}"
  vpc_id      = var.vpc_id
  tags        = var.tags
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  for_each                     = var.client_security_group_ids
  description                  = "MySQL from ${each.key}"
  security_group_id            = aws_security_group.this.id
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
  tags                         = var.tags
}

# RDS would make them without a key, and keep them for ever.
resource "aws_cloudwatch_log_group" "this" {
  for_each          = local.logs
  name              = "/aws/rds/${var.aurora == null ? "instance" : "cluster"}/${var.name}/${each.key}"
  retention_in_days = var.log_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_iam_role" "monitoring" {
  name                 = "${var.name}-monitoring"
  description          = "Dockyard: RDS writes figures of the machines of ${var.name}"
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Monitoring"
      Effect    = "Allow"
      Principal = { Service = "monitoring.rds.amazonaws.com" }
      Action    = "sts:AssumeRole"
      # Not for another account's database that RDS acts for.
      Condition = {
        StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.this.account_id }
        ArnEquals    = { "aws:SourceArn" = local.source_arns }
      }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "monitoring" {
  role       = aws_iam_role.monitoring.name
  policy_arn = "arn:${data.aws_partition.this.partition}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}
