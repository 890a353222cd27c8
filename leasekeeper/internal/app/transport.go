package app

import (
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// unbroken is an HTTP client without a fault of the SDK (smithy-go 1.28.8): an
// answer that arrives before net/http has seen the end of the request's body
// makes the SDK close the body, whose WriteTo then fails, and the connection is
// closed in the middle of the answer. The SDK's retries would hide that, but
// the protocol repeats by itself and has them switched off. A body without
// WriteTo does not do this.
type unbroken struct{ next aws.HTTPClient }

func newHTTPClient() aws.HTTPClient { return unbroken{awshttp.NewBuildableClient()} }

// Do implements aws.HTTPClient.
func (u unbroken) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r = r.Clone(r.Context())
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return u.next.Do(r)
}
