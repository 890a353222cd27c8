package app_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/app"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/wire"
)

// The SDK must not get a client whose requests it breaks.
func TestTuned(t *testing.T) {
	for name, cfg := range map[string]aws.Config{"none": {}, "the SDK's": {HTTPClient: awshttp.NewBuildableClient()}} {
		t.Run(name, func(t *testing.T) {
			u, ok := app.Tuned(cfg).HTTPClient.(wire.Unbroken)
			if !ok {
				t.Fatalf("got %T, want wire.Unbroken", app.Tuned(cfg).HTTPClient)
			}
			c, ok := u.Client.(*awshttp.BuildableClient)
			if !ok || c.GetTransport().MaxIdleConnsPerHost != app.IdleConnections {
				t.Errorf("got %T, want the SDK's with more idle connections", u.Client)
			}
		})
	}
}
