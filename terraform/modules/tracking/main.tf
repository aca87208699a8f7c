locals {
  # As the chart calls its Service and its accounts.
  name  = strcontains(var.release, "tracking") ? var.release : "${var.release}-tracking"
  image = split("@", var.image)

  # EKS Pod Identity answers on the node; IRSA and S3 are anywhere but there.
  agent  = "169.254.170.23/32"
  reach  = [{ ipBlock = { cidr = "0.0.0.0/0", except = ["169.254.0.0/16"] } }]
  s3     = concat(local.reach, [for block in [local.agent] : { ipBlock = { cidr = block } } if var.role_arn == null])
  access = var.ingress == null ? [] : [{ namespaceSelector = { matchLabels = { "kubernetes.io/metadata.name" = var.ingress.controller_namespace } } }]

  values = {
    image     = { repository = local.image[0], digest = local.image[1] }
    artifacts = { bucket = var.artifacts.bucket, prefix = var.artifacts.prefix, region = var.artifacts.region }
    database = {
      host         = var.database.host
      port         = var.database.port
      name         = var.database.name
      user         = var.database.user
      login        = "iam"
      tlsConfigMap = var.database.ca_config_map
    }
    backup = {
      enabled  = var.backup != null
      prefix   = try(var.backup.prefix, "backups")
      schedule = try(var.backup.schedule, "17 2 * * *")
      keep     = try(var.backup.keep, 14)
    }
    auth                      = { mode = var.users_secret == null ? "none" : "basic", secretName = var.users_secret == null ? "" : var.users_secret }
    serviceAccountAnnotations = { for name, arn in { "eks.amazonaws.com/role-arn" = var.role_arn } : name => arn if arn != null }
    ingress = {
      enabled       = var.ingress != null
      className     = try(var.ingress.class_name, "")
      hosts         = [for one in [var.ingress] : one.host if one != null]
      tlsSecretName = try(var.ingress.tls_secret, "")
    }
    networkPolicy = {
      clients  = concat([{ podSelector = {} }], local.access)
      database = [for block in var.database.allowed_blocks : { ipBlock = { cidr = block } }]
      s3       = local.s3
      s3Ports  = var.role_arn == null ? [80, 443] : [443]
    }
  }

  # The server's own account, and those of what signs in to database and bucket beside it.
  accounts = concat([local.name, "${local.name}-migration"], var.backup == null ? [] : ["${local.name}-backup"])

  url = var.ingress == null ? "http://${local.name}.${var.namespace}" : "https://${var.ingress.host}"
  dockyard = {
    registry     = { tracking_uri = local.url }
    image        = { for name, repository in { repository = var.models_repository } : name => repository if repository != null }
    environments = { for name, namespace in var.environments : name => { target = "k8s", k8s = { namespace = namespace } } }
  }
}
