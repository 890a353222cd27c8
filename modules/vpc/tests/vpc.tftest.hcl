mock_provider "aws" {}

variables {
  name               = "test"
  region             = "eu-west-1"
  availability_zones = ["eu-west-1a", "eu-west-1b"]
}

run "defaults" {
  command = plan

  assert {
    condition     = aws_vpc.this.cidr_block == "10.10.0.0/16"
    error_message = "the VPC's range is not the default"
  }
  assert {
    condition     = [for zone in var.availability_zones : aws_subnet.private[zone].cidr_block] == ["10.10.0.0/20", "10.10.16.0/20"]
    error_message = "private subnets are not the first sixteenths"
  }
  assert {
    condition     = [for zone in var.availability_zones : aws_subnet.public[zone].cidr_block] == ["10.10.240.0/24", "10.10.241.0/24"]
    error_message = "public subnets are not cut from the last sixteenth"
  }
  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_route.nat) == 2
    error_message = "want one NAT gateway with a route from every zone"
  }
  assert {
    condition     = toset(keys(aws_vpc_endpoint.gateway)) == toset(["dynamodb", "s3"])
    error_message = "gateway endpoints of DynamoDB and S3 must always be there"
  }
  assert {
    condition     = aws_vpc_endpoint.gateway["dynamodb"].service_name == "com.amazonaws.eu-west-1.dynamodb"
    error_message = "wrong service name"
  }
  assert {
    condition     = length(aws_vpc_endpoint.interface) == 0 && length(aws_security_group.endpoints) == 0
    error_message = "interface endpoints cost money and must be asked for"
  }
  assert {
    condition     = length(aws_flow_log.this) == 0
    error_message = "flow logs must be asked for"
  }
  assert {
    condition     = alltrue([for subnet in concat(values(aws_subnet.public), values(aws_subnet.private)) : subnet.map_public_ip_on_launch == false])
    error_message = "a subnet hands out public addresses"
  }
}

run "default_security_group_is_closed" {
  command = apply

  assert {
    condition     = length(aws_default_security_group.this.ingress) == 0 && length(aws_default_security_group.this.egress) == 0
    error_message = "the default security group lets something through"
  }
}

run "nat_in_every_zone" {
  command = plan
  variables { nat = "per_az" }

  assert {
    condition     = toset(keys(aws_nat_gateway.this)) == toset(var.availability_zones) && length(aws_eip.nat) == 2
    error_message = "want a NAT gateway in every zone"
  }
}

run "no_nat_with_endpoints" {
  command = plan
  variables {
    nat                 = "none"
    interface_endpoints = ["kinesis-streams", "ecr.api", "ecr.dkr", "logs"]
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_eip.nat) == 0 && length(aws_route.nat) == 0
    error_message = "nat = none must make none"
  }
  assert {
    condition     = length(aws_vpc_endpoint.interface) == 4 && alltrue([for endpoint in aws_vpc_endpoint.interface : endpoint.private_dns_enabled])
    error_message = "want four interface endpoints under the services' own names"
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.endpoints[0].cidr_ipv4 == "10.10.0.0/16" && aws_vpc_security_group_ingress_rule.endpoints[0].from_port == 443
    error_message = "endpoints must be open to the VPC alone, on 443 alone"
  }
}

run "flow_logs" {
  command = plan
  variables { flow_log_retention_days = 30 }

  assert {
    condition     = length(aws_flow_log.this) == 1 && aws_cloudwatch_log_group.flow[0].retention_in_days == 30
    error_message = "want a flow log kept for 30 days"
  }
}

run "one_zone_small_range" {
  command = plan
  variables {
    cidr               = "10.20.0.0/20"
    availability_zones = ["eu-west-1c"]
  }

  assert {
    condition     = aws_subnet.private["eu-west-1c"].cidr_block == "10.20.0.0/24" && aws_subnet.public["eu-west-1c"].cidr_block == "10.20.15.0/28"
    error_message = "wrong subnets in a /20"
  }
}

run "refuses_name" {
  command = plan
  variables { name = "Test VPC" }
  expect_failures = [var.name]
}

run "refuses_region" {
  command = plan
  variables {
    region             = "Ireland"
    availability_zones = ["Ireland1"]
  }
  expect_failures = [var.region]
}

run "refuses_wide_cidr" {
  command = plan
  variables { cidr = "10.0.0.0/8" }
  expect_failures = [var.cidr]
}

run "refuses_cidr_with_host_bits" {
  command = plan
  variables { cidr = "10.10.1.0/16" }
  expect_failures = [var.cidr]
}

run "refuses_no_zone" {
  command = plan
  variables { availability_zones = [] }
  expect_failures = [var.availability_zones]
}

run "refuses_zone_elsewhere" {
  command = plan
  variables { availability_zones = ["us-east-1a"] }
  expect_failures = [var.availability_zones]
}

run "refuses_unknown_nat" {
  command = plan
  variables { nat = "two" }
  expect_failures = [var.nat]
}

run "refuses_no_way_out" {
  command = plan
  variables {
    nat                 = "none"
    interface_endpoints = ["kinesis-streams", "logs"]
  }
  expect_failures = [var.nat]
}

run "refuses_whole_service_name" {
  command = plan
  variables { interface_endpoints = ["com.amazonaws.eu-west-1.logs"] }
  expect_failures = [var.interface_endpoints]
}

run "refuses_interface_endpoint_of_gateway_service" {
  command = plan
  variables { interface_endpoints = ["dynamodb"] }
  expect_failures = [var.interface_endpoints]
}

run "refuses_odd_retention" {
  command = plan
  variables { flow_log_retention_days = 12 }
  expect_failures = [var.flow_log_retention_days]
}
