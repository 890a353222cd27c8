package kinesis_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/awstest"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/kinesis"
)

// ahead is a service whose clock is an hour ahead of ours.
type ahead struct {
	service
	refused atomic.Int64
}

func (a *ahead) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := time.Now().Add(time.Hour)
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	signed, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil || now.Sub(signed).Abs() > 5*time.Minute {
		a.refused.Add(1)
		answering(http.StatusBadRequest, []byte(`{"__type":"InvalidSignatureException"}`))(w, r)
		return
	}
	a.service.ServeHTTP(w, r)
}

// TestSource_Skew reads by a clock that is off: the direct call is refused once,
// and the SDK's.
func TestSource_Skew(t *testing.T) {
	service := &ahead{}
	server := httptest.NewServer(service)
	defer server.Close()
	source := kinesis.New(awstest.Config(server.URL, "reader", nil), zerolog.Nop())
	if _, err := source.Records(context.Background(), contract.Grant{Stream: "s"}, "i"); err == nil {
		t.Error("got no error from the first read")
	}
	for range 3 {
		if b, err := source.Records(context.Background(), contract.Grant{Stream: "s"}, "i"); err != nil || len(b.Records) != 1 {
			t.Errorf("got %+v and %v", b, err)
		}
	}
	if asked := strings.Join(service.asked, " "); service.refused.Load() != 2 || asked != "cbor cbor cbor" {
		t.Errorf("refused %d calls and answered %q, want 2 and the rest in CBOR", service.refused.Load(), asked)
	}
}
