output "role_arns" {
  description = "ARNs of the roles by name, for `role-to-assume` of a workflow."
  value       = { for name, role in aws_iam_role.this : name => role.arn }
}

output "provider_arn" {
  description = "ARN of the OIDC provider."
  value       = local.provider_arn
}
