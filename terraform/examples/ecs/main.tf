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

module "database" {
  source                    = "../../modules/database"
  name                      = var.name
  vpc_id                    = var.vpc_id
  subnet_ids                = var.private_subnet_ids
  kms_key_arn               = module.key.key_arn
  client_security_group_ids = { tracking = module.tracking.security_group_id }
}

module "users" {
  source      = "../../modules/secret"
  name        = "${var.name}/users"
  description = "Password of MLflow's administrator, and the key that sessions are signed with"
  kms_key_arn = module.key.key_arn
  values      = { admin-password = var.admin_password, session-key = var.session_key }
  revision    = var.users_revision
}

module "tracking" {
  source              = "../../modules/tracking-ecs"
  name                = var.name
  image               = var.image
  host                = var.host
  certificate_arn     = var.certificate_arn
  vpc_id              = var.vpc_id
  private_subnet_ids  = var.private_subnet_ids
  balancer_subnet_ids = var.private_subnet_ids
  client_blocks       = var.client_blocks
  kms_key_arn         = module.key.key_arn
  users_secret_arn    = module.users.arn
  artifacts           = { bucket = module.artifacts.bucket }
  database = {
    host              = module.database.host
    resource_id       = module.database.resource_id
    security_group_id = module.database.security_group_id
    ca                = var.database_ca
  }
}
