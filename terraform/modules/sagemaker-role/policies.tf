# Dockyard's own policies, filled in as its command line fills them in. A `${…}` in them is one value, or a list where it stands alone; a
# statement with a value that there is none of is left out.
locals {
  partition = data.aws_partition.this.partition
  account   = data.aws_caller_identity.this.account_id
  region    = data.aws_region.this.region
  s3        = "arn:${local.partition}:s3:::"
  uris      = distinct(compact(concat(var.async_uris, [var.capture_uri])))
  objects = {
    for uri in local.uris : uri => ["${local.s3}${split("/", uri)[2]}", "${local.s3}${trim(trimprefix(uri, "s3://"), "/")}/*"]
  }

  lists = {
    "list:queued"   = distinct(flatten([for uri in var.async_uris : local.objects[uri]]))
    "list:written"  = distinct(flatten([for uri in local.uris : local.objects[uri]]))
    "list:topics"   = distinct(var.topic_arns)
    "list:bases"    = distinct(var.base_repository_arns)
    "list:packages" = [for group in compact([var.package_group]) : "*"]
    "list:kms_key"  = compact([var.kms_key_arn])
    "list:data_key" = var.bucket == null && length(var.async_uris) == 0 ? [] : compact([var.kms_key_arn])
  }
  values = {
    partition     = local.partition
    region        = local.region
    account       = local.account
    endpoint      = var.endpoint
    revisions     = trimsuffix(substr(var.endpoint, 0, min(46, length(var.endpoint))), "-")
    jobs          = trimsuffix(substr(var.endpoint, 0, min(40, length(var.endpoint))), "-")
    role          = local.role_arn
    component     = var.component ? var.endpoint : "absent:"
    package_group = var.package_group == null ? "absent:" : lower(var.package_group)
    bucket        = var.bucket == null ? "absent:" : split("/", var.bucket)[2]
    data          = var.bucket == null ? "absent:" : trimsuffix(trimprefix(var.bucket, "s3://"), "/")
    queued        = "list:queued"
    written       = "list:written"
    topics        = "list:topics"
    bases         = "list:bases"
    packages      = "list:packages"
    kms_key       = "list:kms_key"
    data_key      = "list:data_key"
  }

  # The execution role is made here, so who deploys need not be able to make one and give it anything.
  unused = concat(["OwnExecutionRole"], var.in_vpc ? [] : ["Network"])

  filled = {
    for name in ["deployer", "execution-role"] :
    name => [
      for one in jsondecode(templatefile("${path.module}/policies/${name}.json", local.values)).Statement : merge(one, {
        Resource = flatten([for text in flatten([one.Resource]) : lookup(local.lists, text, [text])])
      })
    ]
  }
  kept = {
    for name, statements in local.filled :
    name => [
      for one in statements : one
      if length(one.Resource) > 0 && !contains(local.unused, one.Sid) && !anytrue([for text in one.Resource : strcontains(text, "absent:")])
    ]
  }
  documents = { for name, statements in local.kept : name => jsonencode({ Version = "2012-10-17", Statement = statements }) }
}
