# One account's part: key, role and endpoint. The image comes from the account that builds.
module "key" {
  source = "../../../modules/kms"
  name   = "dockyard/${var.endpoint}"
}

module "role" {
  source      = "../../../modules/sagemaker-role"
  endpoint    = var.endpoint
  role_name   = var.endpoint
  kms_key_arn = module.key.key_arn
}

resource "aws_iam_role_policy" "pull" {
  name = "pull"
  role = split("/", module.role.execution_role_arn)[1]
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "SharedImage"
      Effect   = "Allow"
      Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      Resource = [var.repository_arn]
    }]
  })
}

module "endpoint" {
  source             = "../../../modules/endpoint"
  count              = var.image == null ? 0 : 1
  name               = var.endpoint
  execution_role_arn = module.role.execution_role_arn
  image              = var.image
  kms_key_arn        = module.key.key_arn
  instances          = { count = var.instances }
  rollout            = { kind = "canary" }
  alarms             = { error_percent = 1 }
  depends_on         = [aws_iam_role_policy.pull]
}
