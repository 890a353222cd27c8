package put

import (
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
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
		o.HTTPClient = &detached{next: transport(o.HTTPClient, concurrency)}
	})
}

// Once is the option that takes the SDK's retries off one call.
func Once(o *kinesis.Options) { o.Retryer = aws.NopRetryer{} }

func transport(client kinesis.HTTPClient, concurrency int) kinesis.HTTPClient {
	buildable, ok := client.(*awshttp.BuildableClient)
	if !ok {
		return client
	}
	return buildable.WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost = concurrency
		t.IdleConnTimeout = idleTimeout
		t.WriteBufferSize = 64 << 10
		t.ReadBufferSize = 32 << 10
	})
}
