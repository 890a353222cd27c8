output "vpc_id" {
  description = "Id of the VPC."
  value       = aws_vpc.this.id
}

output "cidr" {
  description = "IPv4 range of the VPC."
  value       = var.cidr
}

output "private_subnet_ids" {
  description = "Ids of the private subnets, in the order of var.availability_zones."
  value       = [for zone in var.availability_zones : aws_subnet.private[zone].id]
}

output "public_subnet_ids" {
  description = "Ids of the public subnets, in the order of var.availability_zones."
  value       = [for zone in var.availability_zones : aws_subnet.public[zone].id]
}

output "nat_addresses" {
  description = "Public addresses traffic leaves from, for somebody's allow list."
  value       = [for zone in local.nat_zones : aws_eip.nat[zone].public_ip]
}
