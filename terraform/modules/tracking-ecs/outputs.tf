output "url" {
  description = "Where MLflow's clients find the server, once its name leads to the balancer."
  value       = "https://${var.host}"
}

output "balancer" {
  description = "DNS name and zone of the balancer, for the record of `host`."
  value       = { dns_name = aws_lb.this.dns_name, zone_id = aws_lb.this.zone_id }
}

output "security_group_id" {
  description = "The server's security group, for `client_security_group_ids` of the module `database`."
  value       = aws_security_group.this["server"].id
}

output "migrate_command" {
  description = "The command that brings the database's schema to the image's: before the first start, and with each new image."
  value       = "aws ecs run-task --cluster ${aws_ecs_cluster.this.name} --launch-type FARGATE --task-definition ${aws_ecs_task_definition.this["migration"].arn} --network-configuration '${jsonencode({ awsvpcConfiguration = { subnets = var.private_subnet_ids, securityGroups = [aws_security_group.this["server"].id], assignPublicIp = "DISABLED" } })}'"
}

output "dockyard" {
  description = "A `dockyard.yaml` that names the server: `terraform output -raw dockyard >dockyard.yaml`."
  value       = yamlencode({ registry = { tracking_uri = "https://${var.host}" } })
}
