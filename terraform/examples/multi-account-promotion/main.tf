provider "aws" {
  alias  = "tools"
  region = var.region

  assume_role {
    role_arn = var.role_arns.tools
  }
}

provider "aws" {
  alias  = "staging"
  region = var.region

  assume_role {
    role_arn = var.role_arns.staging
  }
}

provider "aws" {
  alias  = "prod"
  region = var.region

  assume_role {
    role_arn = var.role_arns.prod
  }
}

locals {
  repository = "dockyard/${var.endpoint}"
}

module "key" {
  source    = "../../modules/kms"
  providers = { aws = aws.tools }
  name      = local.repository
}

module "registry" {
  source             = "../../modules/registry"
  providers          = { aws = aws.tools }
  repositories       = [local.repository]
  kms_key_arn        = module.key.key_arn
  reader_account_ids = [for role in [var.role_arns.staging, var.role_arns.prod] : split(":", role)[4]]
}

module "staging" {
  source         = "./stage"
  providers      = { aws = aws.staging }
  endpoint       = var.endpoint
  repository_arn = module.registry.repository_arns[local.repository]
  image          = var.images.staging
  instances      = 1
}

module "prod" {
  source         = "./stage"
  providers      = { aws = aws.prod }
  endpoint       = var.endpoint
  repository_arn = module.registry.repository_arns[local.repository]
  image          = var.images.prod
  instances      = 2
}
