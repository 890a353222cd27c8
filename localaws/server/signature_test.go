package server_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/sdktest"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/server"
)

// TestServer_Date: the Date header of a service is its own clock's.
func TestServer_Date(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	s := server.New(server.Options{Now: func() time.Time { return now }})
	url, err := s.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	admin(t, http.MethodPut, url, "limits", `{"clock_offset_ms":3600000}`, nil)
	for target, want := range map[string]time.Time{streams + "ListStreams": now.Add(time.Hour), tables + "ListTables": now} {
		out := httptest.NewRecorder()
		s.ServeHTTP(out, call(t.Context(), target, "application/x-amz-json-1.1", []byte(`{}`)))
		if got := out.Header().Get("Date"); out.Code != http.StatusOK || got != want.Format(http.TimeFormat) {
			t.Errorf("%s: status %d, date %q, want %q", target, out.Code, got, want.Format(http.TimeFormat))
		}
	}
}

// TestServer_SignedLate: where the service's clock is ahead, the SDK learns it
// from a refusal, which is counted.
func TestServer_SignedLate(t *testing.T) {
	url := start(t, server.Options{Secret: "secret"})
	admin(t, http.MethodPut, url, "limits", `{"clock_offset_ms":3600000}`, nil)
	c := kinesis.New(kinesis.Options{
		BaseEndpoint: &url, Region: "us-east-1", HTTPClient: sdktest.NewHTTPClient(), RetryMaxAttempts: 2,
		Credentials: credentials.NewStaticCredentialsProvider("late", "secret", ""),
	})
	for range 2 {
		if _, err := c.ListStreams(t.Context(), &kinesis.ListStreamsInput{Limit: aws.Int32(1)}); err != nil {
			t.Error(err)
		}
	}
	var counted struct {
		Calls []struct{ Calls, Errors, Refused int }
	}
	admin(t, http.MethodGet, url, "counters", "", &counted)
	if c := counted.Calls; len(c) != 1 || c[0].Calls != 3 || c[0].Errors != 1 || c[0].Refused != 1 {
		t.Errorf("counted %+v, want 3 calls, 1 refused", c)
	}
}
