package app

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/wire"
)

// Of the HTTP client to AWS. The SDK keeps 10 idle connections to a host: with
// more calls side by side it would open and close one for each.
const (
	idleConnections = 512
	bufferBytes     = 64 << 10 // a batch of small items is one write
)

// tuned returns cfg with an HTTP client that suits many calls side by side and
// that the SDK does not break. A client that is not the SDK's own is left as it
// is.
func tuned(cfg aws.Config) aws.Config {
	var client *awshttp.BuildableClient
	switch c := cfg.HTTPClient.(type) {
	case nil:
		client = awshttp.NewBuildableClient()
	case *awshttp.BuildableClient:
		client = c
	default:
		return cfg
	}
	cfg.HTTPClient = wire.Unbroken{Client: client.WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConns, t.MaxIdleConnsPerHost = idleConnections, idleConnections
		t.WriteBufferSize, t.ReadBufferSize = bufferBytes, bufferBytes
	})}
	return cfg
}
