data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

data "aws_region" "this" {}

locals {
  account   = data.aws_caller_identity.this.account_id
  partition = data.aws_partition.this.partition
  region    = data.aws_region.this.region

  documents = {
    tracking = jsonencode({ Version = "2012-10-17", Statement = local.statements })
    deployer = try(var.deployer.policy, null)
  }
  accounts = { for name, one in { tracking = var.tracking, deployer = var.deployer } : name => {
    namespace = one.namespace, service_account = one.service_account
  } if one != null }

  # Without `https://`, as AWS names the keys of what an issuer says.
  issuer = try(split(":oidc-provider/", var.oidc_provider_arn)[1], null)
  trusts = {
    for name, one in local.accounts : name => var.oidc_provider_arn != null ? jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Sid       = "ServiceAccount"
        Effect    = "Allow"
        Principal = { Federated = var.oidc_provider_arn }
        Action    = "sts:AssumeRoleWithWebIdentity"
        Condition = { StringEquals = {
          "${local.issuer}:aud" = "sts.amazonaws.com"
          "${local.issuer}:sub" = "system:serviceaccount:${one.namespace}:${one.service_account}"
        } }
      }]
      }) : jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Sid       = "ServiceAccount"
        Effect    = "Allow"
        Principal = { Service = "pods.eks.amazonaws.com" }
        Action    = ["sts:AssumeRole", "sts:TagSession"]
        # An association gives a role to any service account; the role takes one only, and of this cluster.
        Condition = { StringEquals = {
          "aws:SourceAccount"                         = local.account
          "aws:RequestTag/eks-cluster-arn"            = "arn:${local.partition}:eks:${local.region}:${local.account}:cluster/${var.cluster_name}"
          "aws:RequestTag/kubernetes-namespace"       = one.namespace
          "aws:RequestTag/kubernetes-service-account" = one.service_account
        } }
      }]
    })
  }
}

resource "aws_iam_role" "this" {
  for_each             = local.accounts
  name                 = "${var.name}-${each.key}"
  description          = "Dockyard: ${each.value.namespace}/${each.value.service_account} of the cluster ${var.cluster_name}"
  assume_role_policy   = local.trusts[each.key]
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags
}

resource "aws_iam_role_policy" "this" {
  for_each = local.accounts
  name     = "dockyard"
  role     = aws_iam_role.this[each.key].name
  policy   = local.documents[each.key]
}

resource "aws_eks_pod_identity_association" "this" {
  for_each        = var.oidc_provider_arn == null ? local.accounts : {}
  cluster_name    = var.cluster_name
  namespace       = each.value.namespace
  service_account = each.value.service_account
  role_arn        = aws_iam_role.this[each.key].arn
  tags            = var.tags
}
