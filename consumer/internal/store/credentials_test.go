package store_test

import (
	"context"
	"encoding/json"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/awstest"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/store"
)

// TestTable_Credentials cannot renew its credentials for a while: whoever gives
// them refuses, in words that DynamoDB has for an item that is bad. No message is.
func TestTable_Credentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dynamo{answer: func(int, []json.RawMessage) string { return "{}" }}
		cfg, asked := awstest.Config("http://dynamodb.test:8000", "writer", d), 0
		good := cfg.Credentials
		cfg.Credentials = aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
			if asked++; asked < 10 {
				return aws.Credentials{}, &smithy.OperationError{
					ServiceID: "Signin", OperationName: "CreateOAuth2Token",
					Err: &smithy.GenericAPIError{Code: "ValidationException", Message: "the session is over", Fault: smithy.FaultClient},
				}
			}
			return good.Retrieve(ctx)
		})
		waited := 0
		table := store.New(cfg, store.Options{Name: "messages", Waited: func(n int) { waited += n }, Log: zerolog.Nop()})
		if err := table.Handle(t.Context(), messages(5)); err != nil {
			t.Fatalf("got %v, want the messages to wait", err)
		}
		if len(d.calls) != 1 || waited == 0 {
			t.Errorf("got %d calls and %d waits, want 1 and some", len(d.calls), waited)
		}
	})
}
