data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

data "aws_region" "this" {}

locals {
  tasks = { server = "serve", migration = "migrate" }
  port  = 5000
  variables = {
    DOCKYARD_TRACKING_DATABASE_HOST   = var.database.host
    DOCKYARD_TRACKING_DATABASE_PORT   = tostring(var.database.port)
    DOCKYARD_TRACKING_DATABASE_NAME   = var.database.name
    DOCKYARD_TRACKING_DATABASE_USER   = var.database.user
    DOCKYARD_TRACKING_DATABASE_LOGIN  = "iam"
    DOCKYARD_TRACKING_DATABASE_TLS_CA = "/files/ca.crt"
    DOCKYARD_TRACKING_ARTIFACTS       = "s3://${var.artifacts.bucket}/${var.artifacts.prefix}"
    DOCKYARD_TRACKING_AUTH            = var.users_secret_arn == null ? "none" : "basic"
    DOCKYARD_TRACKING_AUTH_SECRETS    = var.users_secret_arn == null ? "" : "/files"
    MLFLOW_SERVER_ALLOWED_HOSTS       = var.host
  }
  secrets = var.users_secret_arn == null ? {} : { for key in ["admin-password", "session-key"] : key => "${var.users_secret_arn}:${key}::" }

  # The server takes files, and Fargate gives variables; a volume of Fargate's belongs to root, and the server is another user.
  write_files = "import os; [open('/files/' + name, 'w').write(value) for name, value in os.environ.items() if name in ('ca.crt', 'admin-password', 'session-key')]; os.chmod('/tmp', 0o1777)"
  mounts      = [{ sourceVolume = "files", containerPath = "/files" }, { sourceVolume = "scratch", containerPath = "/tmp" }]
  hardened = {
    image                  = var.image
    essential              = true
    readonlyRootFilesystem = true
    linuxParameters        = { capabilities = { drop = ["ALL"] } }
    logConfiguration = {
      logDriver = "awslogs"
      options   = { awslogs-group = aws_cloudwatch_log_group.this.name, awslogs-region = data.aws_region.this.region, awslogs-stream-prefix = "tracking" }
    }
  }
  files = merge(local.hardened, {
    name        = "files"
    essential   = false
    user        = "0"
    entryPoint  = ["python", "-c", local.write_files]
    mountPoints = local.mounts
    environment = [{ name = "ca.crt", value = var.database.ca }]
    secrets     = [for key, arn in local.secrets : { name = key, valueFrom = arn }]
  })
  server = merge(local.hardened, {
    name         = "server"
    user         = "65532"
    dependsOn    = [{ containerName = "files", condition = "SUCCESS" }]
    mountPoints  = [for mount in local.mounts : merge(mount, { readOnly = mount.sourceVolume == "files" })]
    environment  = [for name, value in local.variables : { name = name, value = value } if value != ""]
    portMappings = [{ containerPort = local.port, protocol = "tcp" }]
    stopTimeout  = 60
  })
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/dockyard/${var.name}"
  retention_in_days = var.log_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_ecs_cluster" "this" {
  name = var.name
  tags = var.tags

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_ecs_task_definition" "this" {
  for_each                 = local.tasks
  family                   = "${var.name}-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.capacity.cpu
  memory                   = var.capacity.memory_mb
  execution_role_arn       = aws_iam_role.this["execution"].arn
  task_role_arn            = aws_iam_role.this["task"].arn
  container_definitions    = jsonencode([local.files, merge(local.server, { command = [each.value] })])
  tags                     = var.tags

  volume {
    name = "files"
  }

  volume {
    name = "scratch"
  }

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }
}

resource "aws_ecs_service" "this" {
  name                              = var.name
  cluster                           = aws_ecs_cluster.this.arn
  task_definition                   = aws_ecs_task_definition.this["server"].arn
  desired_count                     = var.capacity.count
  launch_type                       = "FARGATE"
  health_check_grace_period_seconds = 120
  propagate_tags                    = "SERVICE"
  tags                              = var.tags

  # A release that does not get ready is taken back; the old tasks serve until the new ones do.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.private_subnet_ids
    security_groups  = [aws_security_group.this["server"].id]
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.this.arn
    container_name   = "server"
    container_port   = local.port
  }

  depends_on = [aws_lb_listener.this]
}
