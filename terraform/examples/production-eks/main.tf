data "aws_region" "this" {}

locals {
  region  = data.aws_region.this.region
  backups = "backups"
}

module "key" {
  source    = "../../modules/kms"
  name      = var.name
  services  = ["logs.${local.region}.amazonaws.com", "cloudwatch.amazonaws.com", "budgets.amazonaws.com"]
  user_arns = [aws_iam_role.this["cluster"].arn]
}

module "network" {
  source              = "../../modules/network"
  name                = var.name
  zones               = var.zones
  nat                 = "each"
  interface_endpoints = ["ecr.api", "ecr.dkr", "eks-auth", "logs", "secretsmanager", "sts"]
  kms_key_arn         = module.key.key_arn
  private_subnet_tags = { "kubernetes.io/role/internal-elb" = "1" }
  public_subnet_tags  = { "kubernetes.io/role/elb" = "1" }
}

module "artifacts" {
  source      = "../../modules/artifacts"
  bucket      = var.bucket
  kms_key_arn = module.key.key_arn
}

module "registry" {
  source       = "../../modules/registry"
  repositories = ["${var.name}/models", "${var.name}/tracking-server"]
  kms_key_arn  = module.key.key_arn
}

module "database" {
  source                    = "../../modules/database"
  name                      = var.name
  vpc_id                    = module.network.vpc_id
  subnet_ids                = module.network.private_subnet_ids
  kms_key_arn               = module.key.key_arn
  client_security_group_ids = { nodes = aws_eks_cluster.this.vpc_config[0].cluster_security_group_id }
}

module "tracking" {
  source            = "../../modules/tracking"
  namespace         = var.namespace
  image             = var.image
  artifacts         = { bucket = module.artifacts.bucket, region = local.region }
  database          = { host = module.database.host, port = module.database.port, allowed_blocks = [module.network.cidr] }
  backup            = { prefix = local.backups }
  ingress           = var.ingress
  users_secret      = var.users_secret
  environments      = { prod = "models" }
  models_repository = module.registry.repository_urls["${var.name}/models"]
}

# Server, migration and backup sign in to the database, each as an account of its own; only the backup's gets at backups.
module "identity" {
  source       = "../../modules/identity"
  for_each     = { for account in module.tracking.service_accounts : split("/", account)[1] => account }
  name         = "${var.name}-${each.key}"
  cluster_name = aws_eks_cluster.this.name
  tracking = {
    namespace       = var.namespace
    service_account = each.key
    bucket_arn      = module.artifacts.bucket_arn
    prefixes        = endswith(each.key, "-backup") ? ["mlflow", local.backups] : ["mlflow"]
    kms_key_arns    = [module.key.key_arn]
    database        = { resource_id = module.database.resource_id, user = "mlflow" }
  }
}

module "observability" {
  source         = "../../modules/observability"
  name           = var.name
  kms_key_arn    = module.key.key_arn
  emails         = var.emails
  monthly_budget = var.monthly_budget
  database       = { identifier = module.database.identifier }
}
