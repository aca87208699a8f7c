output "tracking_role_arn" {
  description = "ARN of the tracking server's role; null without `tracking`."
  value       = try(aws_iam_role.this["tracking"].arn, null)
}

output "deployer_role_arn" {
  description = "ARN of the deployer's role; null without `deployer`."
  value       = try(aws_iam_role.this["deployer"].arn, null)
}

output "service_account_annotations" {
  description = "Annotations that the service accounts need, by `tracking` and `deployer`: IRSA's. Pod Identity needs none."
  value       = { for name, role in aws_iam_role.this : name => var.oidc_provider_arn == null ? {} : { "eks.amazonaws.com/role-arn" = role.arn } }
}
