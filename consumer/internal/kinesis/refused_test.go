package kinesis_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

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
