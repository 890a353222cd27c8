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
	// Fatal: no request of this process will be accepted.
	Fatal
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
// as Lost; unsent says that no connection was had.
func classify(err error, unsent bool) *Error {
	var api smithy.APIError
	if errors.As(err, &api) {
		return &Error{Kind: kindOf(api.ErrorCode()), Code: api.ErrorCode(), Err: err}
	}
	if unsent {
		return &Error{Kind: NotSent, Code: "ConnectFailed", Err: err}
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
	case "ResourceNotFoundException", "AccessDeniedException", "AccessDenied", "UnrecognizedClientException",
		"InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignature", "MissingAuthenticationToken",
		"MissingAuthenticationTokenException", "InvalidClientTokenId", "OptInRequired", "UnknownOperationException",
		"KMSAccessDeniedException", "KMSDisabledException", "KMSNotFoundException", "KMSOptInRequired", "KMSInvalidStateException":
		return Fatal
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
