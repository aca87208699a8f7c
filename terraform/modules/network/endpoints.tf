locals {
  # A policy of an endpoint gives nobody anything: it says for whom and for what the endpoint is open. What comes with credentials of
  # another account, as when data is carried off, does not pass.
  own = {
    Sid       = "AccountsOwn"
    Effect    = "Allow"
    Principal = "*"
    Action    = "*"
    Resource  = "*"
    Condition = { StringEquals = { "aws:PrincipalAccount" = local.account } }
  }
  # Layers of images are fetched with links that ECR signed; others' buckets are read without credentials.
  buckets = concat(["prod-${local.region}-starport-layer-bucket"], sort(var.readable_buckets))
  layers = {
    Sid       = "Readable"
    Effect    = "Allow"
    Principal = "*"
    Action    = "s3:GetObject"
    Resource  = [for bucket in local.buckets : "arn:${local.partition}:s3:::${bucket}/*"]
  }
  # A pod has no credentials yet when it exchanges its token for some (IRSA).
  tokens = {
    Sid       = "Tokens"
    Effect    = "Allow"
    Principal = "*"
    Action    = "sts:AssumeRoleWithWebIdentity"
    Resource  = "arn:${local.partition}:iam::${local.account}:role/*"
  }
  # By service: `sts` has a statement more. It is encoded in each, for these are of different types.
  policies = {
    for service in var.interface_endpoints : service => service == "sts" ? jsonencode({ Version = "2012-10-17", Statement = [local.own, local.tokens] }) : jsonencode({ Version = "2012-10-17", Statement = [local.own] })
  }
}

resource "aws_security_group" "endpoints" {
  name        = "${var.name}-endpoints"
  description = "Dockyard: the VPC reaches AWS services"
  vpc_id      = aws_vpc.this.id
  tags        = merge(var.tags, { Name = "${var.name}-endpoints" })
}

resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  description       = "HTTPS from the VPC"
  security_group_id = aws_security_group.endpoints.id
  cidr_ipv4         = var.cidr
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  tags              = var.tags
}

resource "aws_vpc_endpoint" "s3" {
  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${local.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = concat([for table in aws_route_table.private : table.id], aws_route_table.public[*].id)
  policy            = jsonencode({ Version = "2012-10-17", Statement = [local.own, local.layers] })
  tags              = merge(var.tags, { Name = "${var.name}-s3" })
}

resource "aws_vpc_endpoint" "interface" {
  for_each            = local.policies
  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.${local.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = [for subnet in aws_subnet.private : subnet.id]
  security_group_ids  = [aws_security_group.endpoints.id]
  policy              = each.value
  tags                = merge(var.tags, { Name = "${var.name}-${each.key}" })
}
