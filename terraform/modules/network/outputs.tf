output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "private_subnet_ids" {
  description = "Private subnets, in the order of their zones."
  value       = [for zone in var.zones : aws_subnet.private[zone].id]
}

output "public_subnet_ids" {
  description = "Public subnets, in the order of their zones; none without `public_subnets`."
  value       = [for zone in var.zones : aws_subnet.public[zone].id if var.public_subnets]
}

output "cidr" {
  description = "Addresses of the VPC, for network policies."
  value       = aws_vpc.this.cidr_block
}

output "endpoints_security_group_id" {
  description = "Security group of the endpoints, for rules about what may leave elsewhere."
  value       = aws_security_group.endpoints.id
}
