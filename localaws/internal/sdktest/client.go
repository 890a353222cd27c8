// Package sdktest is the HTTP client that tests give to the AWS SDK.
package sdktest

import (
	"io"
	"net/http"
)

// NewHTTPClient returns a client without a fault of the SDK (smithy-go 1.28.8):
// when the answer arrives before net/http has seen the end of the request's body,
// the SDK closes the body, whose WriteTo then returns io.EOF as an error, and
// net/http closes the connection: "use of closed network connection" in the
// middle of an answer. The real service is never that fast. A body without
// WriteTo does not do this.
func NewHTTPClient() *http.Client {
	return &http.Client{Transport: plainBody{http.DefaultTransport}}
}

type plainBody struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (p plainBody) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r = r.Clone(r.Context())
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return p.next.RoundTrip(r)
}
