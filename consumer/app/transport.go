package app

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/awsclient"
)

// Of the HTTP client to AWS. The SDK keeps 10 idle connections to a host: with
// more calls side by side it would open and close one for each.
const (
	idleConnections = 512
	bufferBytes     = 64 << 10 // a batch of small items is one write
)

// tuned returns cfg with an HTTP client that suits many calls side by side. A
// client that is not the SDK's own is left as it is.
func tuned(cfg aws.Config) aws.Config {
	cfg.HTTPClient = awsclient.WithTransport(cfg.HTTPClient, func(t *http.Transport) {
		t.MaxIdleConns, t.MaxIdleConnsPerHost = idleConnections, idleConnections
		t.WriteBufferSize, t.ReadBufferSize = bufferBytes, bufferBytes
	})
	return cfg
}
