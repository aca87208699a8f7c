output "host" {
  description = "Name of the server that writes."
  value       = one(concat(aws_db_instance.this[*].address, aws_rds_cluster.this[*].endpoint))
}

output "port" {
  description = "Port of the server."
  value       = local.port
}

output "database_name" {
  description = "Name of the database."
  value       = var.database_name
}

output "identifier" {
  description = "Name of the instance or cluster, for alarms."
  value       = one(concat(aws_db_instance.this[*].identifier, aws_rds_cluster.this[*].cluster_identifier))
}

output "resource_id" {
  description = "The id that policies for IAM authentication name, as `identity` takes it."
  value       = one(concat(aws_db_instance.this[*].resource_id, aws_rds_cluster.this[*].cluster_resource_id))
}

output "master_secret_arn" {
  description = "ARN of the secret with the master user's name and password, which RDS made."
  value       = one(concat(aws_db_instance.this[*].master_user_secret[0].secret_arn, aws_rds_cluster.this[*].master_user_secret[0].secret_arn))
}

output "security_group_id" {
  description = "The database's security group."
  value       = aws_security_group.this.id
}
