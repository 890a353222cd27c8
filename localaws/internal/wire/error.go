package wire

import (
	"errors"
	"fmt"
	"net/http"
)

// ErrDrop asks that the connection be closed without an answer.
var ErrDrop = errors.New("drop the connection")

// Error is an error an AWS client understands.
type Error struct {
	Code    string         // such as ResourceNotFoundException
	Prefix  string         // stands before Code in __type; "" or "com.amazonaws.dynamodb.v20120810#"
	Message string         //
	Status  int            // HTTP status; 0 means 400
	Fields  map[string]any // further members of the body, such as Item or CancellationReasons
}

// Errorf returns an Error with status 400.
func Errorf(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Status: http.StatusBadRequest}
}

// Error implements error.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// UnknownOperation is the answer to an operation that localaws does not serve.
func UnknownOperation(service, operation string) *Error {
	return Errorf("UnknownOperationException", "localaws does not serve the operation %q of %s", operation, service)
}

// AsError returns err as an *Error; one that is none becomes an InternalFailure.
func AsError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Code: "InternalFailure", Message: err.Error(), Status: http.StatusInternalServerError}
}

func (e *Error) status() int {
	if e.Status == 0 {
		return http.StatusBadRequest
	}
	return e.Status
}

// body is the error as a map, for either encoding.
func (e *Error) body() map[string]any {
	m := make(map[string]any, len(e.Fields)+2)
	for k, v := range e.Fields {
		m[k] = v
	}
	m["__type"] = e.Prefix + e.Code
	if e.Message != "" {
		m["message"] = e.Message
	}
	return m
}
