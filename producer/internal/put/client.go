package put

import (
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/awsclient"
)

// idleTimeout closes connections before load balancers and servers do: a
// request on a connection that the other side just closed is a lost answer.
const idleTimeout = 4 * time.Second

// Dial returns a Kinesis client for putting records: connections for all
// concurrent requests stay open, and PutRecords is not retried by the SDK.
// PutRecords is written and read by hand (see protocol). Other calls keep the SDK's retries.
func Dial(cfg aws.Config, concurrency int) *kinesis.Client {
	return kinesis.NewFromConfig(cfg, func(o *kinesis.Options) {
		o.Protocol = &protocol{o.Protocol}
		client := transport(o.HTTPClient, concurrency)
		o.HTTPClient = &noted{next: client, shared: awsclient.Inner(client)}
	})
}

// Once is the option that takes the SDK's retries off one call.
func Once(o *kinesis.Options) { o.Retryer = aws.NopRetryer{} }

// transport speaks HTTP/1.1 only: a request that gets no answer then takes its
// connection with it, and the next ones go out on another.
func transport(client kinesis.HTTPClient, concurrency int) kinesis.HTTPClient {
	return awsclient.WithTransport(client, func(t *http.Transport) {
		t.Protocols = new(http.Protocols)
		t.Protocols.SetHTTP1(true)
		if t.TLSClientConfig != nil {
			t.TLSClientConfig.NextProtos = nil // a copied transport offers HTTP/2 there
		}
		t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, concurrency
		t.IdleConnTimeout = idleTimeout
		t.WriteBufferSize = 64 << 10
		t.ReadBufferSize = 32 << 10
	})
}
