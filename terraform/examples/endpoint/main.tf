module "key" {
  source = "../../modules/kms"
  name   = "dockyard/${var.endpoint}"
}

module "artifacts" {
  source      = "../../modules/artifacts"
  bucket      = var.bucket
  kms_key_arn = module.key.key_arn
}

module "registry" {
  source       = "../../modules/registry"
  repositories = ["dockyard/${var.endpoint}"]
  kms_key_arn  = module.key.key_arn
}

module "role" {
  source      = "../../modules/sagemaker-role"
  endpoint    = var.endpoint
  role_name   = var.endpoint
  bucket      = module.artifacts.uri
  kms_key_arn = module.key.key_arn
}

module "endpoint" {
  source             = "../../modules/endpoint"
  count              = var.image == null ? 0 : 1
  name               = var.endpoint
  execution_role_arn = module.role.execution_role_arn
  image              = var.image
  kms_key_arn        = module.key.key_arn
  instances          = { type = var.instance_type, count = 2 }
  rollout            = { kind = "canary" }
  scaling            = { min = 2, max = 4, requests_per_instance = 600 }
}
