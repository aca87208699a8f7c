output "arn" {
  description = "ARN of the secret, for policies and as `users_secret_arn` of the module `tracking-ecs`."
  value       = aws_secretsmanager_secret.this.arn
}

output "name" {
  description = "Name of the secret, for the External Secrets operator."
  value       = aws_secretsmanager_secret.this.name
}
