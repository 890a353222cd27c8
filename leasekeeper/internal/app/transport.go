package app

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/awsclient"
)

// apart returns cfg with a client that speaks HTTP/1.1 only: a call that gets no
// answer then takes its connection with it, and the next one goes out on another.
// Over HTTP/2 all calls to a service share a connection, kept when one of them
// times out: where something on the way has forgotten it, each goes to the same
// dead one until TCP gives it up, a quarter of an hour later.
func apart(cfg aws.Config) aws.Config {
	cfg.HTTPClient = awsclient.WithTransport(cfg.HTTPClient, func(t *http.Transport) {
		t.Protocols = new(http.Protocols)
		t.Protocols.SetHTTP1(true)
		if t.TLSClientConfig != nil {
			t.TLSClientConfig.NextProtos = nil // a copied transport offers HTTP/2 there
		}
	})
	return cfg
}
