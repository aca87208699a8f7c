data "aws_region" "this" {}

module "key" {
  source   = "../../modules/kms"
  name     = var.name
  services = ["logs.${data.aws_region.this.region}.amazonaws.com"]
}

module "artifacts" {
  source      = "../../modules/artifacts"
  bucket      = var.bucket
  kms_key_arn = module.key.key_arn
}

module "registry" {
  source       = "../../modules/registry"
  repositories = ["${var.name}/models"]
  kms_key_arn  = module.key.key_arn
}

module "database" {
  source                    = "../../modules/database"
  name                      = var.name
  vpc_id                    = var.vpc_id
  subnet_ids                = keys(var.database_subnets)
  kms_key_arn               = module.key.key_arn
  client_security_group_ids = { nodes = var.node_security_group_id }
}

module "tracking" {
  source            = "../../modules/tracking"
  namespace         = var.namespace
  image             = var.image
  artifacts         = { bucket = module.artifacts.bucket, region = data.aws_region.this.region }
  database          = { host = module.database.host, port = module.database.port, allowed_blocks = values(var.database_subnets) }
  environments      = { prod = "models" }
  models_repository = module.registry.repository_urls["${var.name}/models"]
}

# The server and the migration sign in to the database, each as an account of its own.
module "identity" {
  source       = "../../modules/identity"
  for_each     = { for account in module.tracking.service_accounts : split("/", account)[1] => account }
  name         = "${var.name}-${each.key}"
  cluster_name = var.cluster_name
  tracking = {
    namespace       = var.namespace
    service_account = each.key
    bucket_arn      = module.artifacts.bucket_arn
    prefixes        = ["mlflow"]
    kms_key_arns    = [module.key.key_arn]
    database        = { resource_id = module.database.resource_id, user = "mlflow" }
  }
}
