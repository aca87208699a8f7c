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
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-west-1:111122223333:log-group:/dockyard/mlflow" }
  }
  mock_resource "aws_ecs_task_definition" {
    defaults = { arn = "arn:aws:ecs:eu-west-1:111122223333:task-definition/mlflow:1" }
  }
  mock_resource "aws_security_group" {
    defaults = { id = "sg-own" }
  }
  mock_resource "aws_lb" {
    defaults = { dns_name = "mlflow.elb.example.com", zone_id = "Z1" }
  }
}

variables {
  name                = "mlflow"
  image               = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/tracking-server@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  host                = "mlflow.example.com"
  certificate_arn     = "arn:aws:acm:eu-west-1:111122223333:certificate/1234"
  vpc_id              = "vpc-1"
  private_subnet_ids  = ["subnet-1", "subnet-2"]
  balancer_subnet_ids = ["subnet-3", "subnet-4"]
  client_blocks       = ["10.0.0.0/16"]
  kms_key_arn         = "arn:aws:kms:eu-west-1:111122223333:key/1234"
  artifacts           = { bucket = "team-models" }
  database            = { host = "db.example.com", resource_id = "db-1", security_group_id = "sg-db", ca = "-----BEGIN CERTIFICATE-----" }
}

run "two_tasks_serve_behind_tls" {
  assert {
    condition     = aws_ecs_service.this.desired_count == 2 && one(aws_ecs_service.this.deployment_circuit_breaker).rollback && aws_ecs_service.this.deployment_minimum_healthy_percent == 100
    error_message = "A release that does not get ready is taken back, and the old one serves meanwhile."
  }
  assert {
    condition     = aws_lb_listener.this.protocol == "HTTPS" && strcontains(aws_lb_listener.this.ssl_policy, "TLS13-1-2") && aws_lb.this.internal && aws_lb.this.enable_deletion_protection && length(aws_lb.this.access_logs) == 0
    error_message = "The balancer is private, and speaks TLS 1.2 and 1.3."
  }
  assert {
    condition     = one(aws_lb_target_group.this.health_check).path == "/ready" && one(aws_ecs_service.this.network_configuration).assign_public_ip == false
    error_message = "Only who is ready is asked."
  }
  assert {
    condition     = { for key, one in aws_ecs_task_definition.this : key => jsondecode(one.container_definitions)[1].command[0] } == { migration = "migrate", server = "serve" }
    error_message = "The migration is a task of its own."
  }
  assert {
    condition = alltrue([for one in jsondecode(aws_ecs_task_definition.this["server"].container_definitions) : alltrue([
      one.readonlyRootFilesystem, one.linuxParameters.capabilities.drop == ["ALL"], one.logConfiguration.options["awslogs-group"] == "/dockyard/mlflow",
    ])])
    error_message = "Both containers have a read-only root and no capabilities, and log."
  }
  assert {
    condition     = contains(jsondecode(aws_ecs_task_definition.this["server"].container_definitions)[1].environment, { name = "DOCKYARD_TRACKING_DATABASE_LOGIN", value = "iam" }) && length(jsondecode(aws_ecs_task_definition.this["server"].container_definitions)[0].secrets) == 0
    error_message = "The server signs in without a password."
  }
  assert {
    condition     = [for rule in aws_vpc_security_group_ingress_rule.clients : rule.cidr_ipv4] == ["10.0.0.0/16"] && aws_vpc_security_group_ingress_rule.server.from_port == 5000 && aws_vpc_security_group_egress_rule.aws.to_port == 443
    error_message = "The clients reach the balancer, and the balancer the server."
  }
  assert {
    condition     = aws_vpc_security_group_egress_rule.this["server to database"].referenced_security_group_id == "sg-db" && aws_vpc_security_group_egress_rule.this["server to database"].from_port == 3306
    error_message = "The server reaches the database."
  }
  assert {
    condition     = [for one in jsondecode(aws_iam_role_policy.this["task"].policy).Statement : one.Resource[0] if one.Sid == "Database"] == ["arn:aws:rds-db:eu-west-1:111122223333:dbuser:db-1/mlflow"]
    error_message = "The task may connect as one user to one database."
  }
  assert {
    condition     = [for one in jsondecode(aws_iam_role_policy.this["execution"].policy).Statement : one.Resource[0] if one.Sid == "Image"] == ["arn:aws:ecr:eu-west-1:111122223333:repository/team/tracking-server"]
    error_message = "One repository may be pulled from."
  }
  assert {
    condition     = output.url == "https://mlflow.example.com" && output.security_group_id == "sg-own" && output.balancer == { dns_name = "mlflow.elb.example.com", zone_id = "Z1" }
    error_message = "Outputs lead to the server."
  }
  assert {
    condition     = strcontains(output.migrate_command, "--task-definition arn:aws:ecs:eu-west-1:111122223333:task-definition/mlflow:1") && strcontains(output.migrate_command, "subnet-1") && yamldecode(output.dockyard).registry.tracking_uri == output.url
    error_message = "The migration is one command."
  }
}

run "users_have_passwords_that_terraform_never_sees" {
  variables {
    image                = "registry.example.com/tracking-server@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    users_secret_arn     = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:mlflow-users-AbCdEf"
    client_blocks        = ["0.0.0.0/0", "10.0.0.0/16"]
    internal             = false
    deletion_protection  = false
    access_logs_bucket   = "team-logs"
    capacity             = { count = 3, cpu = 1024, memory_mb = 4096 }
    log_days             = 30
    permissions_boundary = "arn:aws:iam::111122223333:policy/bound"
    tags                 = { team = "ml" }
  }
  assert {
    condition     = [for one in jsondecode(aws_ecs_task_definition.this["server"].container_definitions)[0].secrets : one.valueFrom] == ["${var.users_secret_arn}:admin-password::", "${var.users_secret_arn}:session-key::"]
    error_message = "Secrets are named and not told."
  }
  assert {
    condition     = [for one in jsondecode(aws_iam_role_policy.this["execution"].policy).Statement : one.Sid] == ["Logs", "Users", "Key"]
    error_message = "Its registry is not ECR, and the secret may be read."
  }
  assert {
    condition     = !aws_lb.this.internal && !aws_lb.this.enable_deletion_protection && one(aws_lb.this.access_logs).bucket == "team-logs"
    error_message = "The balancer is public, and tells of requests."
  }
  assert {
    condition     = aws_ecs_service.this.desired_count == 3 && aws_ecs_task_definition.this["server"].memory == "4096" && aws_cloudwatch_log_group.this.retention_in_days == 30
    error_message = "Three larger tasks."
  }
  assert {
    condition     = aws_iam_role.this["task"].permissions_boundary == var.permissions_boundary && aws_lb.this.tags == tomap({ team = "ml" })
    error_message = "Roles are bounded, and things are tagged."
  }
}
