output "endpoint_name" {
  description = "Name of the endpoint."
  value       = aws_sagemaker_endpoint.this.name
}

output "endpoint_arn" {
  description = "ARN of the endpoint, for the policies of those who call it."
  value       = aws_sagemaker_endpoint.this.arn
}

output "configuration_name" {
  description = "Name of the configuration that serves; another one after each change."
  value       = aws_sagemaker_endpoint_configuration.this.name
}

output "alarm_names" {
  description = "Names of the alarms that a rollout watches."
  value       = local.watched
}
