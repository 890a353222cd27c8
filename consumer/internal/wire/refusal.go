package wire

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
)

// Credentials returns a provider whose errors are marked, for Refusal; nil if
// there is none.
func Credentials(p aws.CredentialsProvider) aws.CredentialsProvider {
	if p == nil {
		return nil
	}
	return credentials{p}
}

type credentials struct{ aws.CredentialsProvider }

// Retrieve implements aws.CredentialsProvider.
func (c credentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	v, err := c.CredentialsProvider.Retrieve(ctx)
	if err != nil {
		return v, credentialsError{err}
	}
	return v, nil
}

// credentialsError is that there are no credentials. Why may be told by a service
// that gives them, in the words of the one that is called.
type credentialsError struct{ error }

func (e credentialsError) Error() string { return "retrieve credentials: " + e.error.Error() }
func (e credentialsError) Unwrap() error { return e.error }

// Refusal returns the error that the service which was called has answered, and
// false if it has not, as when there were no Credentials to call it with.
func Refusal(err error) (api smithy.APIError, ok bool) {
	if errors.As(err, &credentialsError{}) {
		return nil, false
	}
	ok = errors.As(err, &api)
	return api, ok
}

// Code returns the code of that error, empty if there is none.
func Code(err error) string {
	if api, ok := Refusal(err); ok {
		return api.ErrorCode()
	}
	return ""
}
