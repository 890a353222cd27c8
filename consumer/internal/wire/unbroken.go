package wire

import (
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Unbroken is an HTTP client without a fault of the SDK (smithy-go 1.28.8): an
// answer that arrives before net/http has seen the end of the request's body
// makes the SDK close the body, whose WriteTo then fails, and the connection is
// closed in the middle of the answer: "use of closed network connection". A
// body without WriteTo does not do this.
type Unbroken struct{ Client aws.HTTPClient }

// Do implements aws.HTTPClient.
func (u Unbroken) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r = r.Clone(r.Context())
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return u.Client.Do(r) //nolint:wrapcheck // it is the client
}

// whole returns the client for bodies that nobody closes early: net/http writes
// one that it knows to be in memory together with the headers.
func whole(c aws.HTTPClient) aws.HTTPClient {
	if u, ok := c.(Unbroken); ok {
		return u.Client
	}
	return c
}
