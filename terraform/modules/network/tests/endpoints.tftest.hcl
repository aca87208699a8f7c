mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { region = "eu-west-1" }
  }
  mock_resource "aws_vpc" {
    defaults = { id = "vpc-1" }
  }
  mock_resource "aws_security_group" {
    defaults = { id = "sg-endpoints" }
  }
  mock_resource "aws_internet_gateway" {
    defaults = { id = "igw-1" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/team-flow-logs" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/vpc/team" }
  }
}

variables {
  name        = "team"
  zones       = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
  kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/1234"
}

run "services_are_reached_within_the_vpc" {
  assert {
    condition     = keys(aws_vpc_endpoint.interface) == ["ecr.api", "ecr.dkr", "logs", "sagemaker.api", "sagemaker.runtime", "secretsmanager", "sts"]
    error_message = "What Dockyard and MLflow call has an endpoint."
  }
  assert {
    condition     = alltrue([for service, one in aws_vpc_endpoint.interface : one.service_name == "com.amazonaws.eu-west-1.${service}" && one.private_dns_enabled && one.subnet_ids == toset(output.private_subnet_ids) && one.security_group_ids == toset(["sg-endpoints"])])
    error_message = "An endpoint answers in every zone, by the service's own name."
  }
  assert {
    condition     = aws_vpc_endpoint.s3.service_name == "com.amazonaws.eu-west-1.s3" && aws_vpc_endpoint.s3.vpc_endpoint_type == "Gateway" && aws_vpc_endpoint.s3.route_table_ids == toset(concat([for table in aws_route_table.private : table.id], aws_route_table.public[*].id))
    error_message = "S3 is in every table."
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.endpoints.cidr_ipv4 == "10.0.0.0/16" && aws_vpc_security_group_ingress_rule.endpoints.from_port == 443 && aws_vpc_security_group_ingress_rule.endpoints.to_port == 443
    error_message = "Only HTTPS, and from the VPC."
  }
}

run "endpoints_are_open_for_this_account" {
  assert {
    condition = alltrue(flatten([
      for endpoint in concat(values(aws_vpc_endpoint.interface), [aws_vpc_endpoint.s3]) : [
        for one in jsondecode(endpoint.policy).Statement : one.Condition == { StringEquals = { "aws:PrincipalAccount" = "111122223333" } } if one.Action == "*"
      ]
    ]))
    error_message = "Credentials of another account do not pass."
  }
  assert {
    condition     = [for one in jsondecode(aws_vpc_endpoint.s3.policy).Statement : one.Resource if one.Sid == "Readable"] == [["arn:aws:s3:::prod-eu-west-1-starport-layer-bucket/*"]]
    error_message = "Layers of images can be read."
  }
  assert {
    condition = {
      for service, endpoint in aws_vpc_endpoint.interface : service => [for one in jsondecode(endpoint.policy).Statement : one.Action]
      if length(jsondecode(endpoint.policy).Statement) > 1
    } == { sts = ["*", "sts:AssumeRoleWithWebIdentity"] }
    error_message = "A pod can exchange its token, and nothing else goes without credentials."
  }
}

run "others_buckets_can_be_read_but_not_written" {
  variables {
    readable_buckets = ["packages-eu-west-1"]
  }
  assert {
    condition = [for one in jsondecode(aws_vpc_endpoint.s3.policy).Statement : "${one.Action} ${join(" ", one.Resource)}" if one.Sid == "Readable"] == [
      "s3:GetObject arn:aws:s3:::prod-eu-west-1-starport-layer-bucket/* arn:aws:s3:::packages-eu-west-1/*"
    ]
    error_message = "The bucket can be read."
  }
}

run "no_interface_endpoints" {
  variables {
    interface_endpoints = []
    public_subnets      = false
  }
  assert {
    condition     = length(aws_vpc_endpoint.interface) == 0 && aws_vpc_endpoint.s3.route_table_ids == toset([for table in aws_route_table.private : table.id])
    error_message = "S3 alone is free."
  }
}

run "flows_are_kept_and_written_for_this_account_only" {
  assert {
    condition     = aws_flow_log.this.traffic_type == "ALL" && aws_flow_log.this.vpc_id == "vpc-1" && aws_flow_log.this.log_destination == aws_cloudwatch_log_group.flows.arn
    error_message = "Every connection is written down."
  }
  assert {
    condition     = aws_cloudwatch_log_group.flows.retention_in_days == 365 && aws_cloudwatch_log_group.flows.kms_key_id == var.kms_key_arn
    error_message = "Logs are encrypted, and kept for a year."
  }
  assert {
    condition = jsondecode(aws_iam_role.flows.assume_role_policy).Statement[0].Condition == {
      StringEquals = { "aws:SourceAccount" = "111122223333" }
      ArnLike      = { "aws:SourceArn" = "arn:aws:ec2:eu-west-1:111122223333:vpc-flow-log/*" }
    }
    error_message = "The role is for this account's flow logs."
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.flows.policy).Statement[0].Resource == ["arn:aws:logs:eu-west-1:111122223333:log-group:/aws/vpc/team", "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/vpc/team:*"]
    error_message = "The role writes this log only."
  }
}
