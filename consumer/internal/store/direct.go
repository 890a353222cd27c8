package store

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/wire"
)

// newDirect makes direct calls of BatchWriteItem as a client with these options
// would, or returns nil if it cannot.
func newDirect(o dynamodb.Options) *wire.Direct {
	if o.EndpointResolverV2 == nil || o.HTTPClient == nil || o.Credentials == nil {
		return nil
	}
	endpoint, err := o.EndpointResolverV2.ResolveEndpoint(context.Background(), dynamodb.EndpointParameters{
		Region: aws.String(o.Region), Endpoint: o.BaseEndpoint,
		UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
		UseFIPS:      aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
	})
	if err != nil {
		return nil
	}
	return wire.NewDirect(wire.Direct{
		HTTP: o.HTTPClient, Credentials: o.Credentials, Region: o.Region, SigningName: "dynamodb", Endpoint: endpoint.URI,
		Target: "DynamoDB_20120810.BatchWriteItem", ContentType: "application/x-amz-json-1.0", UserAgent: "terraform-ecs-kinesis-consumer",
	})
}
