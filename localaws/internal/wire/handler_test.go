package wire_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// TestHandler_HugeBody: what is larger than any request is refused, whether or
// not its length is announced.
func TestHandler_HugeBody(t *testing.T) {
	h := wire.NewHandler([]wire.Service{echo{}}, nil, "")
	for name, length := range map[string]int64{"announced": 1 << 40, "not announced": -1} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", io.LimitReader(zeros{}, 1<<30))
			r.ContentLength = length
			r.Header.Set("X-Amz-Target", "Echo.Call")
			r.Header.Set("Content-Type", "application/x-amz-json-1.1")
			r.Header.Set("Authorization", authorization)
			out := httptest.NewRecorder()
			h.ServeHTTP(out, r)
			if out.Code != http.StatusRequestEntityTooLarge || !strings.Contains(out.Body.String(), "RequestEntityTooLargeException") {
				t.Errorf("got status %d, %s, want 413", out.Code, out.Body)
			}
		})
	}
}

// echo serves anything with nothing.
type echo struct{}

func (echo) Name() string                                      { return "echo" }
func (echo) Target() string                                    { return "Echo" }
func (echo) Serve(context.Context, *wire.Request) (any, error) { return nil, nil }
func (echo) Resource(*wire.Request) (resource, shard string)   { return "", "" }
func (echo) Now() time.Time                                    { return time.Now() }
func (echo) Reset()                                            {}

const authorization = "AWS4-HMAC-SHA256 Credential=me/20260101/us-east-1/x/aws4_request, SignedHeaders=host, Signature=00"

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
