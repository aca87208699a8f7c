output "repository_url" {
  description = "Where `dockyard build --push` pushes the image to."
  value       = module.registry.repository_urls[local.repository]
}

output "endpoint_arns" {
  description = "ARNs of the endpoints, by account."
  value       = { staging = module.staging.endpoint_arn, prod = module.prod.endpoint_arn }
}

output "dockyard" {
  description = "A `dockyard.yaml` that builds for both: `terraform output -raw dockyard >dockyard.yaml`."
  value       = yamlencode({ image = { repository = module.registry.repository_urls[local.repository] } })
}
