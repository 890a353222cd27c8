package awsclient

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// origin is the variable that an address comes from. Without a name it is a profile.
type origin struct {
	name   string
	region string // set if the address is that of a region
}

// String is the origin as it stands behind an address.
func (o origin) String() string {
	switch {
	case o.name == "":
		return ""
	case o.region != "":
		return " (" + o.name + "=" + o.region + ")"
	}
	return " (" + o.name + ")"
}

func originOf(service string, to url.URL, env func(string) string) origin {
	for _, name := range []string{"AWS_ENDPOINT_URL_" + variablePart(service), "AWS_ENDPOINT_URL"} {
		if u, err := url.Parse(env(name)); err == nil && u.Host == to.Host {
			return origin{name: name}
		}
	}
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION"} {
		if region := env(name); region != "" && strings.Contains(to.Host, "."+region+".") {
			return origin{name, region}
		}
	}
	return origin{}
}

// variablePart is a service's name as variables have it.
func variablePart(service string) string {
	return strings.ToUpper(strings.ReplaceAll(service, " ", "_"))
}

// proxyVariable names the variable that a proxy comes from, in net/http's order.
func proxyVariable(env func(string) string, scheme string) string {
	name := strings.ToUpper(scheme) + "_PROXY"
	if env(name) == "" {
		name = strings.ToLower(name)
	}
	return name
}

// advice says what to look at.
func (o origin) advice(why cause) string {
	switch {
	case o.name == "":
		return "look at the profile's region and endpoint_url, and at the network"
	case o.region != "" && why.kind == notFound:
		return "correct " + o.name + ", or look at the network's DNS"
	case o.region != "":
		return "look at the way there: NAT gateway or VPC endpoint, route table, security group"
	case why.kind == notTLS:
		return "correct " + o.name + ", perhaps to http://"
	case why.kind == refused:
		return "start what should listen there, or correct " + o.name
	}
	return "correct " + o.name
}

var regionName = regexp.MustCompile(`^[A-Za-z0-9-]{1,63}$`)

// checkPlace tells what is wrong with the region and the endpoints, before the
// SDK makes something else of them.
func checkPlace(region string, env func(string) string) error {
	if !regionName.MatchString(region) {
		return fmt.Errorf("AWS_REGION: want a region's name, such as eu-central-1, got %q", region)
	}
	for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_KINESIS", "AWS_ENDPOINT_URL_DYNAMODB"} {
		text := env(name)
		u, err := url.Parse(text)
		if text != "" && (err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https") {
			return fmt.Errorf("%s: want a URL, such as http://127.0.0.1:4567, got %q", name, text)
		}
	}
	return nil
}
