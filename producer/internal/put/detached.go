package put

import (
	"bytes"
	"context"
	"fmt"
	"io"
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

// detached runs requests with a body that nobody closes under net/http. The
// SDK closes the body as soon as an answer is there; when the server answers
// before net/http has seen the body's end, that breaks the connection, and an
// answer that was on its way is lost. It also notes in a sentFlag, when the
// context has one, whether a connection was had at all.
type detached struct{ next kinesis.HTTPClient }

// Do implements kinesis.HTTPClient.
func (d *detached) Do(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	if flag, ok := ctx.Value(sentKey{}).(*sentFlag); ok {
		flag.signed.Store(true)
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
			GotConn: func(httptrace.GotConnInfo) { flag.sent.Store(true) },
		})
		req = req.WithContext(ctx)
	}
	if shared := bodyOf(ctx); shared != nil {
		_ = req.Body.Close() // the SDK's own, already read for the signature
		shared.attach(req)
	} else if req.Body != nil && req.Body != http.NoBody {
		body, err := read(req.Body, req.ContentLength)
		if err != nil {
			return nil, fmt.Errorf("read request body: %w", err)
		}
		req.ContentLength = int64(len(body))
		req.Body = io.NopCloser(bytes.NewReader(body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	}
	return d.next.Do(req)
}

func bodyOf(ctx context.Context) *sharedBody {
	if flag, ok := ctx.Value(sentKey{}).(*sentFlag); ok {
		return flag.body
	}
	return nil
}

func read(body io.ReadCloser, length int64) ([]byte, error) {
	defer func() { _ = body.Close() }() // the SDK's own, already read
	if length <= 0 {
		return io.ReadAll(body)
	}
	out := make([]byte, length)
	_, err := io.ReadFull(body, out)
	return out, err
}

// watch returns a context whose request notes how far it gets.
func watch(ctx context.Context) (context.Context, *sentFlag) {
	flag := &sentFlag{}
	return context.WithValue(ctx, sentKey{}, flag), flag
}
