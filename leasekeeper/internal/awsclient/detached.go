package awsclient

import (
	"bytes"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// Detached is an HTTP client that gives net/http bodies in memory which the SDK
// does not have. The SDK's own cost two packets a request, headers and body, for
// net/http cannot know that they are in memory. And the SDK (smithy-go 1.28.8)
// closes them as soon as an answer is there; if that is before net/http has seen
// the body's end, its WriteTo fails, and the connection is closed in the middle
// of the answer: "use of closed network connection".
//
// It is as safe for concurrent use as Client is.
type Detached struct{ Client aws.HTTPClient }

// Do implements aws.HTTPClient.
func (d Detached) Do(r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.ContentLength <= 0 { // a stream of unknown length goes as it is
		return d.Client.Do(r)
	}
	body := make([]byte, r.ContentLength)
	_, err := io.ReadFull(r.Body, body)
	_ = r.Body.Close() // the SDK's own, already read
	if err != nil {
		return nil, fmt.Errorf("read request body: %w", err)
	}
	r = r.WithContext(r.Context()) // a copy: the SDK closes the body of its own
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	return d.Client.Do(r)
}

// Inner returns the client in a Detached, for requests whose body is in memory and
// nobody else's already; any other client as it is.
func Inner(client aws.HTTPClient) aws.HTTPClient {
	if d, ok := client.(Detached); ok {
		return d.Client
	}
	return client
}

// WithTransport returns client with these options of its transport, if it is the
// SDK's own, Detached or not. Any other is left as it is.
func WithTransport(client aws.HTTPClient, options func(*http.Transport)) aws.HTTPClient {
	switch c := client.(type) {
	case Detached:
		return Detached{WithTransport(c.Client, options)}
	case *awshttp.BuildableClient:
		return c.WithTransportOptions(options)
	}
	return client
}
