package wire_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/smithy-go"
)

// clocked answers by a clock that is ahead of ours, and refuses what was signed
// at a time more than five minutes from it, as the services do.
type clocked struct {
	ahead  atomic.Int64 // nanoseconds
	code   string
	header http.Header // beside the Date, or instead of it
}

func (c *clocked) handle(w http.ResponseWriter, r *http.Request) {
	now := time.Now().Add(time.Duration(c.ahead.Load()))
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	for name, values := range c.header {
		w.Header()[name] = values
	}
	signed, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil || now.Sub(signed).Abs() > 5*time.Minute {
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprintf(w, `{"__type":%q}`, c.code)
	}
}

// TestDirect_Skew is refused once for each change of the clocks' difference.
func TestDirect_Skew(t *testing.T) {
	c := &clocked{code: "RequestTimeTooSkewed"}
	s := newHost(t, false, c.handle)
	for _, ahead := range []time.Duration{time.Hour, -26 * time.Hour, 0} {
		c.ahead.Store(int64(ahead))
		_, err := s.direct.Call(context.Background(), nil)
		var api smithy.APIError
		if !errors.As(err, &api) || api.ErrorCode() != c.code {
			t.Errorf("%s ahead: got %v, want %s", ahead, err, c.code)
		}
		for range 2 {
			if _, err := s.direct.Call(context.Background(), nil); err != nil {
				t.Errorf("%s ahead: got %v after the first call", ahead, err)
			}
		}
	}
}

// TestDirect_SkewBelieved goes by a refusal that is one of the clock, with a
// date that is the service's.
func TestDirect_SkewBelieved(t *testing.T) {
	for name, tc := range map[string]struct {
		code   string
		header http.Header
		want   bool
	}{
		"expired":      {code: "RequestExpired", want: true},
		"in future":    {code: "RequestInTheFuture", want: true},
		"signature":    {code: "InvalidSignatureException", want: true},
		"no match":     {code: "SignatureDoesNotMatch", want: true},
		"auth":         {code: "AuthFailure", want: true},
		"denied":       {code: "AccessDeniedException", want: true},
		"not of clock": {code: "ValidationException"},
		"from a cache": {code: "AuthFailure", header: http.Header{"Age": {"3600"}}},
		"no date":      {code: "AuthFailure", header: http.Header{"Date": nil}},
		"no such date": {code: "AuthFailure", header: http.Header{"Date": {"yesterday"}}},
		"our own date": {code: "AuthFailure", header: http.Header{"Date": {time.Now().UTC().Format(http.TimeFormat)}}},
	} {
		t.Run(name, func(t *testing.T) {
			c := &clocked{code: tc.code, header: tc.header}
			c.ahead.Store(int64(time.Hour))
			s := newHost(t, false, c.handle)
			_, _ = s.direct.Call(context.Background(), nil)
			if _, err := s.direct.Call(context.Background(), nil); (err == nil) != tc.want {
				t.Errorf("got %v from the second call, want it to work: %v", err, tc.want)
			}
		})
	}
}
