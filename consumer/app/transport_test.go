package app_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/app"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/awsclient"
)

// The client stays detached, and is the SDK's with more idle connections.
func TestTuned(t *testing.T) {
	d, ok := app.Tuned(aws.Config{HTTPClient: awsclient.Detached{Client: awshttp.NewBuildableClient()}}).HTTPClient.(awsclient.Detached)
	if !ok {
		t.Fatal("the client is no Detached any more")
	}
	c, ok := d.Client.(*awshttp.BuildableClient)
	if !ok || c.GetTransport().MaxIdleConnsPerHost != app.IdleConnections {
		t.Errorf("got %T, want the SDK's with more idle connections", d.Client)
	}
}
