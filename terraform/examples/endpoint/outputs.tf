output "repository_url" {
  description = "Where `dockyard build --push` pushes the image to."
  value       = module.registry.repository_urls["dockyard/${var.endpoint}"]
}

output "endpoint_arn" {
  description = "ARN of the endpoint; null while there is none."
  value       = one(module.endpoint[*].endpoint_arn)
}

output "dockyard_environment" {
  description = "An environment for `dockyard.yaml`, where `dockyard deploy` is to keep the endpoint instead: `terraform output -raw dockyard_environment`."
  value = yamlencode({
    environments = {
      prod = {
        target = "sagemaker"
        sagemaker = {
          role        = module.role.execution_role_arn
          create_role = false
          bucket      = module.artifacts.uri
          kms_key     = module.key.key_arn
        }
      }
    }
  })
}
