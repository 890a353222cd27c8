package api_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/api"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/contract"
)

// loop answers as it is told.
type loop struct {
	refusal *contract.Error
	err     error
	status  contract.Status
}

func (l *loop) Sync(_ context.Context, r contract.SyncRequest) (*contract.SyncResponse, *contract.Error, error) {
	return &contract.SyncResponse{Worker: "w", Revision: r.Revision + 1, Grants: []contract.Grant{}}, l.refusal, l.err
}

func (l *loop) Status(context.Context) (contract.Status, error) { return l.status, l.err }

func call(t *testing.T, l api.Loop, method, path, body string) (int, string, http.Header) {
	t.Helper()
	w := httptest.NewRecorder()
	api.Handler(l, nil).ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	text, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Code, string(text), w.Result().Header
}

func TestHandler_Sync(t *testing.T) {
	const good = `{"consumer":"c","version":"1","revision":4,"wait_ms":0,"unknown":1,"shards":[{"shard":"s","generation":2,"state":"reading","checkpoint":{"sequence":"12","sub":3}}]}`
	for name, tc := range map[string]struct {
		loop *loop
		body string
		code int
		want string
	}{
		"good, unknown fields ignored": {&loop{}, good, 200, `{"version":"","worker":"w","revision":5,"ttl_ms":0,"grants":[]}`},
		"conflict":                     {&loop{refusal: &contract.Error{Code: contract.ConsumerConflict}}, good, 409, "ConsumerConflict"},
		"not ready":                    {&loop{refusal: &contract.Error{Code: contract.NotReady}}, good, 503, "NotReady"},
		"stopped":                      {&loop{err: errors.New("stopped")}, good, 503, "NotReady"},
		"no JSON":                      {&loop{}, "x", 400, "BadRequest"},
		"no consumer":                  {&loop{}, `{}`, 400, "consumer"},
		"state":                        {&loop{}, strings.Replace(good, "reading", "bored", 1), 400, "states"},
		"generation":                   {&loop{}, strings.Replace(good, `"generation":2`, `"generation":0`, 1), 400, "generation"},
		"sequence":                     {&loop{}, strings.Replace(good, `"12"`, `"SHARD_END"`, 1), 400, "digits"},
		"revision":                     {&loop{}, strings.Replace(good, `"revision":4`, `"revision":-4`, 1), 400, "revision"},
		"a generation twice": {&loop{}, `{"consumer":"c","shards":[{"shard":"s","generation":2,"state":"reading"},{"shard":"s","generation":2,"state":"drained"}]}`,
			400, "once"},
	} {
		t.Run(name, func(t *testing.T) {
			code, text, _ := call(t, tc.loop, "POST", "/v1/sync", tc.body)
			if code != tc.code || !strings.Contains(text, tc.want) {
				t.Errorf("got %d %s, want %d with %q", code, text, tc.code, tc.want)
			}
		})
	}
	if code, _, _ := call(t, &loop{}, "GET", "/v1/sync", ""); code != 405 {
		t.Errorf("GET: got %d, want 405", code)
	}
}

func TestHandler_Health(t *testing.T) {
	for name, tc := range map[string]struct {
		loop api.Loop
		path string
		code int
		want string
	}{
		"live":      {&loop{}, "/healthz", 200, "live"},
		"stuck":     {&loop{err: context.DeadlineExceeded}, "/healthz", 503, "stuck"},
		"ready":     {&loop{status: contract.Status{Ready: true}}, "/readyz", 200, "ready"},
		"not ready": {&loop{status: contract.Status{Reason: "no consumer is attached"}}, "/readyz", 503, "no consumer"},
		"starting":  {&api.Gate{}, "/readyz", 503, "starting"},
		"alive":     {&api.Gate{}, "/healthz", 200, "live"},
		"status":    {&loop{status: contract.Status{Worker: "a/1"}}, "/v1/status", 200, `"worker":"a/1"`},
	} {
		t.Run(name, func(t *testing.T) {
			code, text, _ := call(t, tc.loop, "GET", tc.path, "")
			if code != tc.code || !strings.Contains(text, tc.want) {
				t.Errorf("got %d %s, want %d with %q", code, text, tc.code, tc.want)
			}
		})
	}
	if code, text, _ := call(t, &api.Gate{}, "POST", "/v1/sync", `{"consumer":"c"}`); code != 503 || !strings.Contains(text, "starting") {
		t.Errorf("sync while starting: got %d %s, want 503", code, text)
	}
}

// The page is one file: it fetches nothing but the status beside it.
func TestHandler_Page(t *testing.T) {
	code, text, header := call(t, &loop{}, "GET", "/", "")
	if code != 200 || !strings.HasPrefix(header.Get("Content-Type"), "text/html") || !strings.Contains(header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("got %d %v", code, header)
	}
	for _, asset := range []string{"http://", "https://", "<link rel=\"stylesheet", "src="} {
		if strings.Contains(text, asset) {
			t.Errorf("the page has %q in it, want it self-contained", asset)
		}
	}
	if !strings.Contains(text, "/v1/status") {
		t.Error("the page does not fetch the status")
	}
}
