package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// TestHealthcheck_Proxy asks its own process, whatever proxy there is for AWS.
// From the environment net/http takes none for loopback addresses, but for any
// other one that PRODUCER_LISTEN may name.
func TestHealthcheck_Proxy(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	usual := http.DefaultTransport
	defer func() { http.DefaultTransport = usual }()
	http.DefaultTransport = &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: "127.0.0.1:1"})}
	t.Setenv("PRODUCER_LISTEN", strings.TrimPrefix(server.URL, "http://"))
	if err := healthcheck(); err != nil {
		t.Error(err)
	}
}
