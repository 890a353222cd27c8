package infra_test

import (
	"strings"
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/infra"
)

// Nothing is reachable from outside, and nothing but NAT gateways has a public
// address.
func TestNetwork_NothingPublicButTheNAT(t *testing.T) {
	for unit, plan := range plans(t) {
		for _, r := range plan.Resources {
			if problem := public(r); problem != "" {
				t.Errorf("%s %s: %s", unit, r.Address, problem)
			}
		}
		if addresses, gateways := len(plan.OfType("aws_eip")), len(plan.OfType("aws_nat_gateway")); addresses != gateways {
			t.Errorf("%s: %d public addresses for %d NAT gateways", unit, addresses, gateways)
		}
	}
}

func public(r infra.Resource) string {
	switch r.Type {
	case "aws_subnet":
		if r.Values["map_public_ip_on_launch"] != false {
			return "hands out public addresses"
		}
	case "aws_vpc_security_group_ingress_rule":
		if open(r.Text("cidr_ipv4")) || open(r.Text("cidr_ipv6")) {
			return "lets the internet in"
		}
	case "aws_security_group":
		if len(r.Blocks("ingress")) > 0 {
			return "has inline ingress; use aws_vpc_security_group_ingress_rule, which is checked"
		}
	case "aws_ecs_service":
		for _, network := range r.Blocks("network_configuration") {
			if network["assign_public_ip"] != false {
				return "gives tasks public addresses"
			}
		}
	case "aws_route":
		if r.Values["gateway_id"] != nil && r.Name != "internet" {
			return "leads to the internet gateway"
		}
	case "aws_lb", "aws_instance", "aws_api_gateway_rest_api", "aws_apigatewayv2_api", "aws_s3_bucket":
		return "is no part of this system"
	}
	return ""
}

func open(cidr string) bool { return cidr == "::/0" || strings.HasSuffix(cidr, "/0") }

func TestNetwork_ProductionOutlivesAZone(t *testing.T) {
	plan := plans(t)["production-vpc"]
	zones := map[string]bool{}
	for _, subnet := range plan.OfType("aws_subnet") {
		zones[subnet.Text("availability_zone")] = true
	}
	if got := len(plan.OfType("aws_nat_gateway")); got != len(zones) || got < 2 {
		t.Errorf("got %d NAT gateways in %d zones, want one in each of two or more", got, len(zones))
	}
}
