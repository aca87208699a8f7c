data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

data "aws_region" "this" {}

locals {
  role_arn = "arn:${local.partition}:iam::${local.account}:role/${var.role_name}"
}

resource "aws_iam_role" "execution" {
  name                 = var.role_name
  description          = "Dockyard: what the endpoint ${var.endpoint} runs as"
  assume_role_policy   = templatefile("${path.module}/policies/trust.json", { account = local.account })
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags
}

resource "aws_iam_role_policy" "execution" {
  name   = "dockyard"
  role   = aws_iam_role.execution.name
  policy = local.documents["execution-role"]
}

resource "aws_iam_role" "deployer" {
  count                = length(var.deployer_principal_arns) == 0 ? 0 : 1
  name                 = "${var.role_name}-deployer"
  description          = "Dockyard: who deploys the endpoint ${var.endpoint}"
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Deployers"
      Effect    = "Allow"
      Principal = { AWS = sort(var.deployer_principal_arns) }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
    }]
  })
}

resource "aws_iam_role_policy" "deployer" {
  count  = length(aws_iam_role.deployer)
  name   = "dockyard"
  role   = aws_iam_role.deployer[count.index].name
  policy = local.documents["deployer"]
}
