output "execution_role_arn" {
  description = "ARN of the role that the endpoint runs as: `role` in `dockyard.yaml`."
  value       = aws_iam_role.execution.arn
}

output "deployer_role_arn" {
  description = "ARN of the role that deploys; null where nobody may become it."
  value       = one(aws_iam_role.deployer[*].arn)
}

output "deployer_policy" {
  description = "The deployer's policy as JSON, for a role that there is already."
  value       = local.documents["deployer"]
}
