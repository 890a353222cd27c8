package put

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
)

// sentKey is the context key of a *sentFlag.
type sentKey struct{}

// sentFlag tells how far a request got: it was built by the SDK, signed and
// given to the HTTP client, put on a connection.
type sentFlag struct {
	built, signed, sent atomic.Bool
	body                *sharedBody // of PutRecords, once it was serialized the short way
}

// unsent says why the request cannot have reached the service, as a code; empty:
// it may have, or nothing is known of it.
func (f *sentFlag) unsent() string {
	switch {
	case f.sent.Load():
		return ""
	case f.signed.Load():
		return codeNoConnection
	case f.built.Load():
		return codeNoCredentials
	}
	return ""
}

// noted notes in the sentFlag of a request's context, when it has one, whether a
// connection was had at all, and puts a shared body, when there is one, in the
// place of the SDK's.
type noted struct{ next, shared kinesis.HTTPClient }

// Do implements kinesis.HTTPClient.
func (n *noted) Do(req *http.Request) (*http.Response, error) {
	flag, ok := req.Context().Value(sentKey{}).(*sentFlag)
	if !ok {
		return n.next.Do(req) //nolint:wrapcheck // it is the client
	}
	flag.signed.Store(true)
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { flag.sent.Store(true) },
	}))
	if flag.body == nil {
		return n.next.Do(req) //nolint:wrapcheck // it is the client
	}
	_ = req.Body.Close() // the SDK's own, already read for the signature
	flag.body.attach(req)
	return n.shared.Do(req) //nolint:wrapcheck // it is the client
}

// watch returns a context whose request notes how far it gets.
func watch(ctx context.Context) (context.Context, *sentFlag) {
	flag := &sentFlag{}
	return context.WithValue(ctx, sentKey{}, flag), flag
}
