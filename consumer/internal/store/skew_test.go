package store_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestTable_Skew writes by a clock that is an hour off: the direct call is
// refused once, and the SDK's, and no message fails for it.
func TestTable_Skew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dynamo{answer: func(int, []json.RawMessage) string { return "{}" }}
		s := &skewed{dynamo: d}
		table := tableOf(s, nil)
		for range 3 {
			if err := table.Handle(context.Background(), messages(5)); err != nil {
				t.Fatal(err)
			}
		}
		if s.refused != 2 || len(d.calls) != 3 {
			t.Errorf("refused %d calls and answered %d, want 2 and 3", s.refused, len(d.calls))
		}
	})
}

// skewed is a dynamo whose clock is an hour behind ours.
type skewed struct {
	*dynamo
	refused int
}

func (s *skewed) Do(r *http.Request) (*http.Response, error) {
	now := time.Now().Add(-time.Hour)
	signed, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err == nil && now.Sub(signed).Abs() <= 5*time.Minute {
		return s.dynamo.Do(r)
	}
	s.refused++
	const answer = `{"__type":"com.amazon.coral.service#InvalidSignatureException","message":"Signature not yet current"}`
	return &http.Response{
		StatusCode: http.StatusBadRequest, Header: http.Header{"Date": {now.UTC().Format(http.TimeFormat)}},
		ContentLength: int64(len(answer)), Body: io.NopCloser(strings.NewReader(answer)), Request: r,
	}, nil
}
