data "aws_partition" "this" {}

locals {
  # ECR takes the rules in this order, and an image by the first that is about it.
  prefixes = sort(keys(var.keep_by_prefix))
  rules = concat(
    [{
      rulePriority = 1
      selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = var.untagged_days }
      action       = { type = "expire" }
    }],
    [for index, prefix in local.prefixes : {
      rulePriority = index + 2
      selection    = { tagStatus = "tagged", tagPrefixList = [prefix], countType = "imageCountMoreThan", countNumber = var.keep_by_prefix[prefix] }
      action       = { type = "expire" }
    }],
  )
  readers = [for id in sort(var.reader_account_ids) : "arn:${data.aws_partition.this.partition}:iam::${id}:root"]
}

resource "aws_ecr_repository" "this" {
  for_each             = var.repositories
  name                 = each.key
  image_tag_mutability = "IMMUTABLE"
  force_delete         = var.force_delete
  tags                 = var.tags

  image_scanning_configuration {
    scan_on_push = true
  }
  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = var.kms_key_arn
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  for_each   = aws_ecr_repository.this
  repository = each.value.name
  policy     = jsonencode({ rules = local.rules })
}

resource "aws_ecr_repository_policy" "this" {
  for_each   = length(local.readers) == 0 ? {} : aws_ecr_repository.this
  repository = each.value.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OtherAccountsPull"
      Effect    = "Allow"
      Principal = { AWS = local.readers }
      Action    = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    }]
  })
}
