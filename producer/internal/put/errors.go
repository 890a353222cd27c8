package put

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/smithy-go"
)

// Kind is what is known about a request that failed as a whole.
type Kind int

// Kinds of failure.
const (
	// Lost: it may have been executed; sending it again may double messages.
	Lost Kind = iota
	// NotSent: no byte of it reached the service.
	NotSent
	// Throttled: it was refused for its rate, and may be sent again later.
	Throttled
	// Refused: it will be refused again as it is; one of its entries may be why.
	Refused
	// Denied: credentials, permissions or the stream's key are refused. That may
	// pass: a policy is replaced, a key is rotated.
	Denied
	// Fatal: no request of this process will be accepted.
	Fatal
)

// Codes of requests that did not reach the service.
const (
	codeNoConnection  = "ConnectFailed"
	codeNoCredentials = "NoCredentials" // or none in time: it was built, and never signed
)

// Error is a request that failed as a whole.
type Error struct {
	Kind Kind
	Code string // the service's code, or a word of ours
	Err  error
}

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the SDK's error.
func (e *Error) Unwrap() error { return e.Err }

// classify maps the SDK's error. What is not known to have had no effect counts
// as Lost; unsent is the code of a request that did not reach the service. That
// goes first: the error may then be another service's, such as of the one that
// gives credentials out.
func classify(err error, unsent string) *Error {
	if unsent != "" {
		return &Error{Kind: NotSent, Code: unsent, Err: err}
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		return &Error{Kind: kindOf(api.ErrorCode()), Code: api.ErrorCode(), Err: err}
	}
	code := "ConnectionLost"
	if errors.Is(err, context.DeadlineExceeded) {
		code = "Timeout"
	} else if errors.Is(err, context.Canceled) {
		code = "Canceled"
	}
	return &Error{Kind: Lost, Code: code, Err: err}
}

func kindOf(code string) Kind {
	switch code {
	case "ResourceNotFoundException", "UnknownOperationException":
		return Fatal
	case "AccessDeniedException", "AccessDenied", "UnrecognizedClientException", "InvalidSignatureException",
		"SignatureDoesNotMatch", "IncompleteSignature", "MissingAuthenticationToken",
		"MissingAuthenticationTokenException", "InvalidClientTokenId", "OptInRequired",
		"KMSAccessDeniedException", "KMSDisabledException", "KMSNotFoundException", "KMSOptInRequired", "KMSInvalidStateException":
		return Denied
	case "ValidationException", "InvalidArgumentException", "SerializationException", "RequestEntityTooLarge",
		"RequestEntityTooLargeException":
		return Refused
	case "ProvisionedThroughputExceededException", "LimitExceededException", "ThrottlingException", "Throttling",
		"RequestLimitExceeded", "KMSThrottlingException", "TooManyRequestsException", "SlowDown", "ExpiredTokenException",
		"ExpiredToken", "RequestExpired", "RequestTimeTooSkewed":
		return Throttled
	}
	if strings.Contains(code, "Throttl") {
		return Throttled
	}
	return Lost
}
