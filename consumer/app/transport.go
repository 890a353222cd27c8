package app

import (
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/awsclient"
)

// Of the HTTP client to AWS. The SDK keeps 10 idle connections to a host: with
// more calls side by side it would open and close one for each.
const (
	idleConnections = 512
	bufferBytes     = 64 << 10 // a batch of small items is one write
)

// Of HTTP/2, over which subscriptions come, many to a connection. By itself
// net/http takes in 4 MiB of each before anybody asks for them, and does not look
// whether a connection that is silent is still alive: calls would go to a dead
// one until TCP gives it up, a quarter of an hour later.
const (
	aheadBytes = 512 << 10        // Kinesis sends 2 MiB a second: enough for 250 ms there and back
	pingAfter  = 10 * time.Second // of silence; an idle shard has an event every 5 s or so
	pingWithin = 5 * time.Second
)

// tuned returns cfg with an HTTP client that suits many calls side by side. A
// client that is not the SDK's own is left as it is.
func tuned(cfg aws.Config) aws.Config {
	cfg.HTTPClient = awsclient.WithTransport(cfg.HTTPClient, func(t *http.Transport) {
		t.MaxIdleConns, t.MaxIdleConnsPerHost = idleConnections, idleConnections
		t.WriteBufferSize, t.ReadBufferSize = bufferBytes, bufferBytes
		t.HTTP2 = &http.HTTP2Config{MaxReceiveBufferPerStream: aheadBytes, SendPingTimeout: pingAfter, PingTimeout: pingWithin}
	})
	return cfg
}
