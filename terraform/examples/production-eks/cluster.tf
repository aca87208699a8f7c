data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

locals {
  account   = data.aws_caller_identity.this.account_id
  partition = data.aws_partition.this.partition

  # What Auto Mode needs, which brings nodes, volumes, balancers and the agent of Pod Identity by itself.
  roles = {
    cluster = {
      service   = "eks.amazonaws.com"
      actions   = ["sts:AssumeRole", "sts:TagSession"]
      condition = { ArnLike = { "aws:SourceArn" = "arn:${local.partition}:eks:${local.region}:${local.account}:cluster/${var.name}" } }
      policies  = ["AmazonEKSBlockStoragePolicy", "AmazonEKSClusterPolicy", "AmazonEKSComputePolicy", "AmazonEKSLoadBalancingPolicy", "AmazonEKSNetworkingPolicy"]
    }
    nodes = {
      service   = "ec2.amazonaws.com"
      actions   = ["sts:AssumeRole"]
      condition = {}
      policies  = ["AmazonEC2ContainerRegistryPullOnly", "AmazonEKSWorkerNodeMinimalPolicy"]
    }
  }
  attachments = merge([for role, said in local.roles : { for policy in said.policies : "${role}: ${policy}" => { role = role, policy = policy } }]...)
}

resource "aws_iam_role" "this" {
  for_each    = local.roles
  name        = "${var.name}-${each.key}"
  description = "Dockyard: ${each.key} of the EKS cluster ${var.name}"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [merge({ Effect = "Allow", Principal = { Service = each.value.service }, Action = each.value.actions }, length(each.value.condition) == 0 ? {} : { Condition = each.value.condition })]
  })
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each   = local.attachments
  role       = aws_iam_role.this[each.value.role].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/${each.value.policy}"
}

resource "aws_cloudwatch_log_group" "cluster" {
  name              = "/aws/eks/${var.name}/cluster"
  retention_in_days = 365
  kms_key_id        = module.key.key_arn
}

resource "aws_eks_cluster" "this" {
  name                          = var.name
  version                       = var.kubernetes_version
  role_arn                      = aws_iam_role.this["cluster"].arn
  bootstrap_self_managed_addons = false
  deletion_protection           = var.deletion_protection
  enabled_cluster_log_types     = ["api", "audit", "authenticator", "controllerManager", "scheduler"]

  vpc_config {
    subnet_ids              = module.network.private_subnet_ids
    endpoint_private_access = true
    endpoint_public_access  = false
  }

  access_config {
    authentication_mode                         = "API"
    bootstrap_cluster_creator_admin_permissions = true
  }

  encryption_config {
    resources = ["secrets"]

    provider {
      key_arn = module.key.key_arn
    }
  }

  compute_config {
    enabled       = true
    node_pools    = ["general-purpose", "system"]
    node_role_arn = aws_iam_role.this["nodes"].arn
  }

  kubernetes_network_config {
    elastic_load_balancing {
      enabled = true
    }
  }

  storage_config {
    block_storage {
      enabled = true
    }
  }

  depends_on = [aws_iam_role_policy_attachment.this, aws_cloudwatch_log_group.cluster]
}
