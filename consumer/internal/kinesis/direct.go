package kinesis

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/cbor"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/wire"
)

// The encodings of a request and its answer. The SDK for Java calls Kinesis in
// CBOR unless it is told not to.
const (
	typeJSON = "application/x-amz-json-1.1"
	typeCBOR = "application/x-amz-cbor-1.1"
)

// to names what a Direct is for. The endpoint may depend on the stream's ARN.
type to struct{ arn, encoding string }

// directTo returns what makes direct calls of GetRecords on a stream, as the
// client would; nil if it cannot.
func (s *Source) directTo(arn, encoding string) *wire.Direct {
	if d, ok := s.direct.Load(to{arn, encoding}); ok {
		return d.(*wire.Direct)
	}
	d := newDirect(s.options, arn, encoding)
	s.direct.Store(to{arn, encoding}, d)
	return d
}

func newDirect(o kinesis.Options, arn, encoding string) *wire.Direct {
	if o.EndpointResolverV2 == nil || o.HTTPClient == nil || o.Credentials == nil {
		return nil
	}
	p := kinesis.EndpointParameters{
		Region: aws.String(o.Region), Endpoint: o.BaseEndpoint, OperationType: aws.String("data"),
		UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
		UseFIPS:      aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
	}
	if arn != "" {
		p.StreamARN = aws.String(arn)
	}
	endpoint, err := o.EndpointResolverV2.ResolveEndpoint(context.Background(), p)
	if err != nil {
		return nil
	}
	return wire.NewDirect(wire.Direct{
		HTTP: o.HTTPClient, Credentials: o.Credentials, Region: o.Region, SigningName: "kinesis", Endpoint: endpoint.URI,
		Target: "Kinesis_20131202.GetRecords", ContentType: encoding, UserAgent: "terraform-ecs-kinesis-consumer",
	})
}

// appendRequest appends the body of a GetRecords request.
func appendRequest(b []byte, iterator, arn string) []byte {
	b = append(b, `{"ShardIterator":`...)
	b = appendString(b, iterator)
	if arn != "" {
		b = append(b, `,"StreamARN":`...)
		b = appendString(b, arn)
	}
	return append(b, '}')
}

func appendString(b []byte, s string) []byte {
	quoted, err := json.Marshal(s)
	if err != nil { // never, of a string
		return append(b, '"', '"')
	}
	return append(b, quoted...)
}

// appendRequestCBOR appends the same in CBOR, as the SDK for Java writes it.
func appendRequestCBOR(b []byte, iterator, arn string) []byte {
	b = cbor.AppendText(cbor.AppendText(cbor.AppendMap(b), "ShardIterator"), iterator)
	if arn != "" {
		b = cbor.AppendText(cbor.AppendText(b, "StreamARN"), arn)
	}
	return cbor.AppendEnd(b)
}
