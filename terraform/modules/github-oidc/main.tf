locals {
  issuer       = "token.actions.githubusercontent.com"
  provider_arn = var.provider_arn == null ? one(aws_iam_openid_connect_provider.this[*].arn) : var.provider_arn

  # What GitHub says that a job is: of a branch, or of an environment where the job names one, and then of no branch.
  subjects = {
    for name, role in var.roles : name => concat(
      [for branch in sort(role.branches) : "repo:${role.repository}:ref:refs/heads/${branch}"],
      [for environment in sort(role.environments) : "repo:${role.repository}:environment:${environment}"],
      role.pull_requests ? ["repo:${role.repository}:pull_request"] : [],
    )
  }
}

resource "aws_iam_openid_connect_provider" "this" {
  count          = var.provider_arn == null ? 1 : 0
  url            = "https://${local.issuer}"
  client_id_list = ["sts.amazonaws.com"]
  tags           = var.tags
}

resource "aws_iam_role" "this" {
  for_each             = var.roles
  name                 = each.key
  description          = "Dockyard: GitHub Actions of ${each.value.repository}"
  max_session_duration = each.value.session_seconds
  permissions_boundary = var.permissions_boundary
  tags                 = var.tags
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Jobs"
      Effect    = "Allow"
      Principal = { Federated = local.provider_arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      # Every repository of GitHub has this issuer: without the subject anybody's job could become the role.
      Condition = { StringEquals = {
        "${local.issuer}:aud" = "sts.amazonaws.com"
        "${local.issuer}:sub" = local.subjects[each.key]
      } }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  for_each = var.roles
  name     = "dockyard"
  role     = aws_iam_role.this[each.key].name
  policy   = each.value.policy
}
