package wire_test

import (
	"context"
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"pgregory.net/rapid"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/wire"
)

func direct(endpoint string) *wire.Direct {
	u, err := url.Parse(endpoint)
	if err != nil {
		panic(err)
	}
	return wire.NewDirect(wire.Direct{
		Region: "eu-central-1", SigningName: "dynamodb", Endpoint: *u, Target: "DynamoDB_20120810.BatchWriteItem",
		ContentType: "application/x-amz-json-1.0", UserAgent: "test",
	})
}

// TestSigning signs by the SDK's signer too: the requests are the same.
func TestSigning(t *testing.T) {
	endpoints := []string{"https://dynamodb.eu-central-1.amazonaws.com", "http://127.0.0.1:4566/", "http://[::1]:4566", "https://proxy/path", "https://proxy:443", "http://proxy:80"}
	rapid.Check(t, func(t *rapid.T) {
		endpoint := rapid.SampledFrom(endpoints).Draw(t, "endpoint")
		mine, sdk := direct(endpoint), wire.General(direct(endpoint))
		for range 3 { // the key is kept from one to the next
			id := rapid.StringMatching(`[A-Z0-9]{1,20}`).Draw(t, "id")
			credentials := aws.Credentials{
				AccessKeyID: id, SecretAccessKey: "secret of " + id, // the SDK keeps its key by the id alone: one id, one secret
				SessionToken: rapid.StringMatching(`([A-Za-z0-9/+=]{50})?`).Draw(t, "token"),
			}
			body := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "body")
			now := time.Unix(rapid.Int64Range(1_700_000_000, 1_700_200_000).Draw(t, "now"), 0)
			got, err := wire.Request(mine, context.Background(), body, credentials, now)
			if err != nil {
				t.Fatal(err)
			}
			want, err := wire.Request(sdk, context.Background(), body, credentials, now)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got.Header, want.Header) || got.Host != want.Host || got.URL.String() != want.URL.String() {
				t.Fatalf("got  %v\nwant %v", got.Header, want.Header)
			}
		}
	})
}

// TestSigning_Fast makes sure that the usual endpoints are not left to the SDK.
func TestSigning_Fast(t *testing.T) {
	for endpoint, want := range map[string]bool{
		"https://dynamodb.eu-central-1.amazonaws.com": true, "http://127.0.0.1:4566/": true, "https://proxy/path": false, "https://proxy:443": false,
	} {
		if got := wire.IsFast(direct(endpoint)); got != want {
			t.Errorf("%s: got %v, want %v", endpoint, got, want)
		}
	}
}
