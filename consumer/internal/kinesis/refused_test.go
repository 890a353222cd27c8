package kinesis_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/awstest"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/kinesis"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/reader"
)

// TestSource_Refused tells a refusal from what may be better at the next call,
// in one short line.
func TestSource_Refused(t *testing.T) {
	for code, refused := range map[string]bool{
		"AccessDeniedException": true, "ExpiredTokenException": true, "UnrecognizedClientException": true, "KMSAccessDeniedException": true,
		"KMSDisabledException": true, "KMSInvalidStateException": true, "KMSNotFoundException": true, "KMSOptInRequired": true,
		"InvalidSignatureException": false, "KMSThrottlingException": false, "ProvisionedThroughputExceededException": false, "InternalFailure": false,
	} {
		server := httptest.NewServer(answering(http.StatusBadRequest, []byte(`{"__type":"`+code+`","message":"why"}`)))
		source := kinesis.New(awstest.Config(server.URL, "reader", nil), zerolog.Nop())
		grant := contract.Grant{Stream: "s", Start: contract.Start{Type: contract.TrimHorizon}}
		_, err := source.Records(context.Background(), grant, "i")
		_, itErr := source.Iterator(context.Background(), grant, reader.Start{Start: grant.Start})
		server.Close()
		if errors.Is(err, reader.ErrRefused) != refused || errors.Is(itErr, reader.ErrRefused) != refused {
			t.Errorf("%s: got %v and %v, want refused: %v", code, err, itErr, refused)
		}
		for call, err := range map[string]error{"get records": err, "get iterator": itErr} {
			short, api := call+": not allowed: "+code+": why", call+": not allowed: api error "+code+": why"
			if refused && err.Error() != short && err.Error() != api {
				t.Errorf("got %q, want %q", err, short)
			}
		}
	}
}

// TestSource_Position tells a sequence number that is not of the shard from other
// arguments that are not taken.
func TestSource_Position(t *testing.T) {
	server := httptest.NewServer(answering(http.StatusBadRequest, []byte(`{"__type":"InvalidArgumentException","message":"why"}`)))
	defer server.Close()
	source := kinesis.New(awstest.Config(server.URL, "reader", nil), zerolog.Nop())
	grant := contract.Grant{Stream: "s"}
	for name, tc := range map[string]struct {
		at   reader.Start
		want bool
	}{
		"after":     {reader.Start{After: "1"}, true},
		"at":        {reader.Start{Start: contract.Start{Type: contract.AtSequenceNumber, Sequence: "1"}}, true},
		"timestamp": {reader.Start{Start: contract.Start{Type: contract.AtTimestamp, TimestampMS: 1}}, false},
	} {
		if _, err := source.Iterator(t.Context(), grant, tc.at); errors.Is(err, reader.ErrPosition) != tc.want {
			t.Errorf("%s: got %v, want it to be of the position: %v", name, err, tc.want)
		}
	}
}

// TestSource_BadIterator tells an iterator that is not taken, in either encoding.
func TestSource_BadIterator(t *testing.T) {
	server := httptest.NewServer(answering(http.StatusBadRequest, []byte(`{"__type":"InvalidArgumentException","message":"Invalid ShardIterator."}`)))
	defer server.Close()
	source := kinesis.New(awstest.Config(server.URL, "reader", nil), zerolog.Nop())
	for _, encoding := range []string{"CBOR", "JSON"} {
		_, err := source.Records(t.Context(), contract.Grant{Stream: "s"}, "i")
		const want = "get records: iterator not taken: InvalidArgumentException: Invalid ShardIterator."
		if !errors.Is(err, reader.ErrIterator) || err.Error() != want {
			t.Errorf("%s: got %v, want %q", encoding, err, want)
		}
		source.OnlyJSON()
	}
}

// TestSource_Credentials cannot get credentials: whoever gives them has no such
// role, or takes no more calls. That says nothing of the shard, nor of CBOR.
func TestSource_Credentials(t *testing.T) {
	for _, code := range []string{"ResourceNotFoundException", "ThrottlingException", "AccessDeniedException", "InvalidRequestException"} {
		server := httptest.NewServer(answering(http.StatusOK, []byte(`{"Records":[],"NextShardIterator":"next"}`)))
		cfg, asked := awstest.Config(server.URL, "reader", nil), 0
		good := cfg.Credentials
		cfg.Credentials = aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
			if asked++; asked < 3 {
				return aws.Credentials{}, &smithy.OperationError{ServiceID: "SSO", OperationName: "GetRoleCredentials", Err: &smithy.GenericAPIError{Code: code}}
			}
			return good.Retrieve(ctx)
		})
		var log bytes.Buffer
		source := kinesis.New(cfg, zerolog.New(&log))
		grant := contract.Grant{Stream: "s", Start: contract.Start{Type: contract.TrimHorizon}}
		_, err := source.Iterator(t.Context(), grant, reader.Start{Start: grant.Start})
		_, recordsErr := source.Records(t.Context(), grant, "i")
		server.Close()
		for _, err := range []error{err, recordsErr} {
			if err == nil || errors.Is(err, reader.ErrNoShard) || errors.Is(err, reader.ErrThrottled) || errors.Is(err, reader.ErrRefused) {
				t.Errorf("%s: got %v, want an error of no kind", code, err)
			}
		}
		if log.Len() > 0 {
			t.Errorf("%s: got %s, want nothing of the encoding", code, &log)
		}
	}
}
