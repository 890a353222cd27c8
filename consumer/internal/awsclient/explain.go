package awsclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// callError is a call to which AWS did not answer, by a client made of what Load
// returned. It reads as the SDK's own error, for the SDK's retries go by that.
type callError struct {
	error
	service string // as the SDK names it
	to      url.URL
}

// Unwrap returns the SDK's error.
func (c *callError) Unwrap() error { return c.error }

// remember has every call tell in its error where it went.
func remember(stack *middleware.Stack) error {
	return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("RememberCall",
		func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			out, metadata, err := next.HandleFinalize(ctx, in)
			r, ok := in.Request.(*smithyhttp.Request)
			if err == nil || !ok || answered(err) || errors.Is(err, context.Canceled) {
				return out, metadata, err
			}
			return out, metadata, &callError{error: err, service: awsmiddleware.GetServiceID(ctx), to: *r.URL}
		}), middleware.After)
}

// answered tells whether AWS itself has said no.
func answered(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() != "UnknownError" // which is the SDK's own
}

// explained is an error in our words.
type explained struct {
	text string
	err  error
}

func (e explained) Error() string { return e.text }
func (e explained) Unwrap() error { return e.err }

// Explain returns err in one line if a call got no answer from AWS: what could
// not be reached, the setting it comes from, the cause, and what to look at. Any
// other error is returned as it is. The chain stays: it is for errors that are
// about to be told.
func Explain(err error) error {
	var c *callError
	if !errors.As(err, &c) {
		return err
	}
	proxy, _ := http.ProxyFromEnvironment(&http.Request{URL: &c.to})
	return explained{c.sentence(os.Getenv, proxy), err}
}

// sentence puts it in words. proxy is what stands between, nil if nothing does.
func (c *callError) sentence(env func(string) string, proxy *url.URL) string {
	why, place := causeOf(c.error), address(c.to)
	if proxy != nil {
		name := proxyVariable(env, c.to.Scheme)
		return fmt.Sprintf("cannot reach %s at %s through the proxy %s (%s): %s; correct %s, or list the host in NO_PROXY",
			c.service, place, proxy.Host, name, why.text, name)
	}
	from := originOf(c.service, c.to, env)
	return fmt.Sprintf("cannot reach %s at %s%s: %s; %s", c.service, place, from, why.text, from.advice(why))
}

// address is host and port.
func address(u url.URL) string {
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "http":
		port = "80"
	default:
		port = "443"
	}
	return net.JoinHostPort(u.Hostname(), port)
}
