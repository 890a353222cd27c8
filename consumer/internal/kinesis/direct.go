package kinesis

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/smithy-go"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/reader"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/wire"
)

// directTo returns what makes direct calls of GetRecords on a stream, as the
// client would; nil if it cannot. The endpoint may depend on the stream's ARN.
func (s *Source) directTo(arn string) *wire.Direct {
	if d, ok := s.direct.Load(arn); ok {
		return d.(*wire.Direct)
	}
	d := newDirect(s.options, arn)
	s.direct.Store(arn, d)
	return d
}

func newDirect(o kinesis.Options, arn string) *wire.Direct {
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
		Target: "Kinesis_20131202.GetRecords", ContentType: "application/x-amz-json-1.1", UserAgent: "terraform-ecs-kinesis-consumer",
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

// isUnusual tells whether an error is none of those that a reader deals with,
// such as one of credentials or clocks, which the SDK's client knows.
func isUnusual(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorFault() == smithy.FaultServer {
		return false
	}
	err = classify(err)
	return !errors.Is(err, reader.ErrExpired) && !errors.Is(err, reader.ErrThrottled) && !errors.Is(err, reader.ErrNoShard)
}
