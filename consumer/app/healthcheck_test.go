package app_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/app"
)

// TestHealthcheck_Proxy asks its own process, whatever proxy there is for AWS: a
// container would be stopped again and again otherwise. From the environment
// net/http takes none for localhost and 127.0.0.1, but for any other address.
func TestHealthcheck_Proxy(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	usual := http.DefaultTransport
	defer func() { http.DefaultTransport = usual }()
	http.DefaultTransport = &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: "127.0.0.1:1"})}
	t.Setenv("CONSUMER_LISTEN", strings.TrimPrefix(server.URL, "http://"))
	var told strings.Builder
	p := app.Program{Args: []string{"healthcheck"}, Stdout: io.Discard, Stderr: &told}
	if code := p.Run(t.Context()); code != app.ExitOK {
		t.Errorf("got exit code %d: %s", code, &told)
	}
}
