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

run "subnets_are_in_three_zones" {
  assert {
    condition = { for zone, subnet in aws_subnet.private : zone => subnet.cidr_block } == {
      eu-west-1a = "10.0.0.0/19", eu-west-1b = "10.0.32.0/19", eu-west-1c = "10.0.64.0/19"
    }
    error_message = "Private subnets are large, and in the first half of the block."
  }
  assert {
    condition = { for zone, subnet in aws_subnet.public : zone => subnet.cidr_block } == {
      eu-west-1a = "10.0.128.0/22", eu-west-1b = "10.0.132.0/22", eu-west-1c = "10.0.136.0/22"
    }
    error_message = "Public subnets are small, and behind the private ones."
  }
  assert {
    condition     = !anytrue([for subnet in aws_subnet.public : subnet.map_public_ip_on_launch])
    error_message = "Nothing gets a public address because it is there."
  }
  assert {
    condition     = aws_vpc.this.enable_dns_support && aws_vpc.this.enable_dns_hostnames && aws_vpc.this.cidr_block == "10.0.0.0/16"
    error_message = "Names of endpoints resolve."
  }
  assert {
    condition     = keys(aws_route_table_association.private) == keys(aws_subnet.private) && keys(aws_route_table_association.public) == keys(aws_subnet.public) && keys(aws_route_table.private) == keys(aws_subnet.private)
    error_message = "Every subnet has its table."
  }
}

run "nothing_private_reaches_the_internet_unless_asked" {
  assert {
    condition     = length(aws_nat_gateway.this) + length(aws_eip.nat) + length(aws_route.nat) == 0
    error_message = "There is no NAT."
  }
  assert {
    condition     = aws_route.public[0].gateway_id == "igw-1" && aws_route.public[0].destination_cidr_block == "0.0.0.0/0" && length(aws_internet_gateway.this) == 1
    error_message = "Public subnets do, by the gateway."
  }
  # Rules that are set to none are told apart from rules that were left as they were only by AWS.
  assert {
    condition     = aws_default_security_group.this.vpc_id == "vpc-1" && length(aws_default_security_group.this.tags) == 1
    error_message = "The default security group is the module's, which has no rules for it."
  }
}

run "one_gateway_serves_every_zone" {
  variables {
    nat = "one"
  }
  assert {
    condition     = keys(aws_nat_gateway.this) == ["eu-west-1a"] && keys(aws_eip.nat) == ["eu-west-1a"]
    error_message = "The first zone has it."
  }
  assert {
    condition     = length(aws_route.nat) == 3 && alltrue([for route in aws_route.nat : route.nat_gateway_id == aws_nat_gateway.this["eu-west-1a"].id && route.destination_cidr_block == "0.0.0.0/0"])
    error_message = "Every private subnet goes by it."
  }
}

run "each_zone_has_its_gateway" {
  variables {
    nat   = "each"
    zones = ["eu-west-1a", "eu-west-1b"]
  }
  assert {
    condition     = keys(aws_nat_gateway.this) == ["eu-west-1a", "eu-west-1b"] && aws_eip.nat["eu-west-1b"].domain == "vpc"
    error_message = "A zone that is down takes no other along."
  }
  assert {
    condition     = alltrue([for zone, route in aws_route.nat : route.nat_gateway_id == aws_nat_gateway.this[zone].id])
    error_message = "A zone goes by its own."
  }
}

run "no_public_subnets_and_no_gateway" {
  variables {
    public_subnets = false
  }
  assert {
    condition     = length(aws_subnet.public) + length(aws_internet_gateway.this) + length(aws_route_table.public) + length(aws_route.public) + length(aws_route_table_association.public) == 0
    error_message = "There is no way in."
  }
  assert {
    condition     = length(output.public_subnet_ids) == 0 && length(output.private_subnet_ids) == 3
    error_message = "Outputs name private subnets only."
  }
}

run "outputs_are_the_networks" {
  assert {
    condition     = output.vpc_id == "vpc-1" && output.cidr == "10.0.0.0/16" && output.endpoints_security_group_id == "sg-endpoints"
    error_message = "Outputs name the VPC and its security group."
  }
  assert {
    condition     = output.private_subnet_ids == [for zone in ["eu-west-1a", "eu-west-1b", "eu-west-1c"] : aws_subnet.private[zone].id] && output.public_subnet_ids == [for zone in ["eu-west-1a", "eu-west-1b", "eu-west-1c"] : aws_subnet.public[zone].id]
    error_message = "Subnets are in the order of their zones."
  }
}

run "everything_can_be_set" {
  variables {
    cidr                 = "172.20.0.0/20"
    zones                = ["eu-west-1a", "eu-west-1b", "eu-west-1c", "eu-west-1d"]
    private_subnet_tags  = { "kubernetes.io/role/internal-elb" = "1" }
    public_subnet_tags   = { "kubernetes.io/role/elb" = "1" }
    flow_log_days        = 30
    permissions_boundary = "arn:aws:iam::111122223333:policy/boundary"
    tags                 = { team = "wine" }
  }
  assert {
    condition     = aws_subnet.private["eu-west-1d"].cidr_block == "172.20.6.0/23" && aws_subnet.public["eu-west-1d"].cidr_block == "172.20.8.192/26"
    error_message = "Four zones fit."
  }
  assert {
    condition     = aws_subnet.private["eu-west-1a"].tags == tomap({ team = "wine", Name = "team-private-eu-west-1a", "kubernetes.io/role/internal-elb" = "1" })
    error_message = "Private subnets have their tags."
  }
  assert {
    condition     = aws_subnet.public["eu-west-1a"].tags == tomap({ team = "wine", Name = "team-public-eu-west-1a", "kubernetes.io/role/elb" = "1" })
    error_message = "Public subnets have their tags."
  }
  assert {
    condition     = aws_cloudwatch_log_group.flows.retention_in_days == 30 && aws_iam_role.flows.permissions_boundary == var.permissions_boundary && aws_vpc.this.tags == tomap({ team = "wine", Name = "team" })
    error_message = "Settings reach the logs and the VPC."
  }
}
