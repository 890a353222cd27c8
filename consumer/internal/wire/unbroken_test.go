package wire_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/wire"
)

type look func(*http.Request)

func (l look) Do(r *http.Request) (*http.Response, error) { l(r); return nil, io.EOF }

// The body that net/http gets must not have the WriteTo that the SDK breaks.
func TestUnbroken(t *testing.T) {
	request, err := http.NewRequest(http.MethodPost, "http://127.0.0.1/", io.NopCloser(bytes.NewReader([]byte("body"))))
	if err != nil {
		t.Fatal(err)
	}
	if _, direct := request.Body.(io.WriterTo); !direct {
		t.Fatal("the test's own body has no WriteTo: it cannot fail")
	}
	var got []byte
	response, _ := wire.Unbroken{Client: look(func(r *http.Request) {
		if _, is := r.Body.(io.WriterTo); is {
			t.Error("the body has a WriteTo, want none")
		}
		got, _ = io.ReadAll(r.Body)
	})}.Do(request)
	if response != nil {
		_ = response.Body.Close()
	}
	if string(got) != "body" {
		t.Errorf("got body %q", got)
	}
}
