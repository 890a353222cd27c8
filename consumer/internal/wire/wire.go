// Package wire lets a caller of the AWS SDK write the body of a request and
// read the body of its answer itself, where the SDK's general way costs too
// much. Signing, endpoints, retries, errors and all other calls stay the SDK's.
package wire

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Exchange is what the caller does itself in one call.
type Exchange struct {
	// Request replaces the body of the request, unless it is nil.
	Request []byte
	// Decode reads the body of a good answer, which is its own to keep. If ok
	// is false, or Decode is nil, the SDK reads it.
	Decode func(body []byte) (ok bool, err error)
}

type key struct{}

// With returns a context for one call with e.
func With(ctx context.Context, e *Exchange) context.Context {
	return context.WithValue(ctx, key{}, e)
}

// Protocol is an SDK client's Options.Protocol that heeds Exchanges.
type Protocol struct {
	smithyhttp.ClientProtocol // the SDK's own
}

// SerializeRequest implements smithyhttp.ClientProtocol.
func (p Protocol) SerializeRequest(ctx context.Context, op *smithy.OperationSchema, in smithy.Serializable, req *smithyhttp.Request) error {
	if err := p.ClientProtocol.SerializeRequest(ctx, op, in, req); err != nil {
		return fmt.Errorf("serialize request: %w", err)
	}
	e, _ := ctx.Value(key{}).(*Exchange)
	if e == nil || e.Request == nil {
		return nil
	}
	with, err := req.SetStream(bytes.NewReader(e.Request))
	if err != nil {
		return fmt.Errorf("set request body: %w", err)
	}
	*req = *with
	return nil
}

// DeserializeResponse implements smithyhttp.ClientProtocol.
func (p Protocol) DeserializeResponse(ctx context.Context, op *smithy.OperationSchema, types *smithy.TypeRegistry, resp *smithyhttp.Response, out smithy.Deserializable) error {
	e, _ := ctx.Value(key{}).(*Exchange)
	if e != nil && e.Decode != nil && resp.StatusCode >= 200 && resp.StatusCode < 300 {
		body, err := read(resp.Response)
		if err != nil {
			return &smithy.DeserializationError{Err: fmt.Errorf("read response body: %w", err)}
		}
		ok, err := e.Decode(body)
		switch {
		case err != nil:
			return &smithy.DeserializationError{Err: err}
		case ok:
			return nil
		}
		resp.Body = io.NopCloser(bytes.NewReader(body))
	}
	return p.ClientProtocol.DeserializeResponse(ctx, op, types, resp, out) //nolint:wrapcheck // the SDK looks at its type
}

// maxBody bounds what a Content-Length is believed: above Kinesis's 10 MiB in
// base64.
const maxBody = 16 << 20

func read(resp *http.Response) ([]byte, error) {
	n := resp.ContentLength
	if n < 0 || n > maxBody {
		return io.ReadAll(resp.Body)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(resp.Body, body); err != nil {
		return nil, err
	}
	_, err := io.Copy(io.Discard, resp.Body) // the end, so that the connection is used again
	return body, err
}
