package awsclient

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"

	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Kinds of causes, as far as the advice depends on them.
const (
	other = iota
	notFound
	refused
	notTLS
)

// cause is why there was no answer, in a few words.
type cause struct {
	kind int
	text string
}

func causeOf(err error) cause {
	var name *net.DNSError
	var timeout net.Error
	var certificate *tls.CertificateVerificationError
	var response *smithyhttp.ResponseError
	switch {
	case errors.As(err, &name) && name.IsNotFound:
		return cause{notFound, "no such host"}
	case errors.As(err, &name):
		return cause{notFound, "its name could not be looked up (" + name.Err + ")"}
	case errors.Is(err, syscall.ECONNREFUSED):
		return cause{refused, "connection refused"}
	case isNotTLS(err):
		return cause{notTLS, "what answers there does not speak TLS"}
	case errors.As(err, &certificate):
		return cause{other, "its certificate is not trusted (" + certificate.Err.Error() + ")"}
	case errors.As(err, &timeout) && timeout.Timeout():
		return cause{other, "no answer in time"}
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return cause{other, "the connection was closed without an answer"}
	case errors.As(err, &response) && response.Response != nil && response.HTTPStatusCode() > 0:
		return cause{other, fmt.Sprintf("what answers there is something else (status %d)", response.HTTPStatusCode())}
	}
	return cause{other, innermost(err)}
}

func isNotTLS(err error) bool {
	var header tls.RecordHeaderError
	return errors.As(err, &header) || errors.Is(err, http.ErrSchemeMismatch)
}

// innermost is what net/http says, without what the SDK has put around it.
func innermost(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err.Error()
	}
	return err.Error()
}
