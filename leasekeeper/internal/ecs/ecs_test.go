package ecs_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/ecs"
)

func TestName(t *testing.T) {
	usual := http.DefaultTransport
	defer func() { http.DefaultTransport = usual }()
	http.DefaultTransport = &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: "127.0.0.1:1"})} // not for metadata
	answer := func(body string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v4/abc/task" {
				_, _ = io.WriteString(w, body)
			}
		}))
		t.Cleanup(s.Close)
		return s.URL + "/v4/abc"
	}
	for name, tc := range map[string]struct{ uri, host, want string }{
		"task":          {answer(`{"TaskARN":"arn:aws:ecs:eu-west-1:1:task/cluster/0123456789abcdef"}`), "host", "0123456789abcdef"},
		"nonsense":      {answer(`{`), "host", "host"},
		"empty":         {answer(`{}`), "host", "host"},
		"not reachable": {"http://127.0.0.1:1", "host", "host"},
		"not on ECS":    {"", "my/host", "my-host"},
		"no name":       {"", "", "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ecs.Name(context.Background(), tc.uri, tc.host); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
