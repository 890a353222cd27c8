package put

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// protocol is the SDK's awsJson 1.1 protocol with PutRecords written and read
// by hand, for speed. Everything else, and whatever the short way does not
// know, goes the SDK's way. Signing, endpoints and errors stay the SDK's.
type protocol struct{ smithyhttp.ClientProtocol }

const target = "Kinesis_20131202.PutRecords"

// SerializeRequest implements smithyhttp.ClientProtocol.
func (p *protocol) SerializeRequest(ctx context.Context, schema *smithy.OperationSchema, in smithy.Serializable, req *smithyhttp.Request) error {
	flag, watched := ctx.Value(sentKey{}).(*sentFlag)
	if watched {
		flag.built.Store(true)
	}
	input, ok := in.(*kinesis.PutRecordsInput)
	if !ok {
		return p.ClientProtocol.SerializeRequest(ctx, schema, in, req)
	}
	size, ok := encodedSize(input)
	if !ok {
		return p.ClientProtocol.SerializeRequest(ctx, schema, in, req)
	}
	shared := newSharedBody(size)
	shared.bytes = encode(shared.bytes, input)
	if watched {
		flag.body = shared // the HTTP client below sends it, and gives it back
	}
	req.Method = http.MethodPost
	if req.URL.Path == "" {
		req.URL.Path = "/"
	}
	req.Header.Set("X-Amz-Target", target)
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	streamed, err := req.SetStream(bytes.NewReader(shared.bytes))
	if err != nil {
		return &smithy.SerializationError{Err: err}
	}
	*req = *streamed
	return nil
}

// DeserializeResponse implements smithyhttp.ClientProtocol.
func (p *protocol) DeserializeResponse(ctx context.Context, schema *smithy.OperationSchema, types *smithy.TypeRegistry, resp *smithyhttp.Response, out smithy.Deserializable) error {
	output, ok := out.(*kinesis.PutRecordsOutput)
	if !ok || resp.StatusCode != http.StatusOK {
		return p.ClientProtocol.DeserializeResponse(ctx, schema, types, resp, out)
	}
	text, err := readText(resp.Body, resp.ContentLength)
	if err != nil {
		return &smithy.DeserializationError{Err: err}
	}
	if decode(text, output) {
		return nil
	}
	*output = kinesis.PutRecordsOutput{}
	resp.Body = io.NopCloser(bytes.NewReader([]byte(text)))
	return p.ClientProtocol.DeserializeResponse(ctx, schema, types, resp, out)
}
