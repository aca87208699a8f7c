output "endpoint_arn" {
  description = "ARN of the endpoint; null while there is none."
  value       = one(module.endpoint[*].endpoint_arn)
}
