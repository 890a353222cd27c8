package main_test

import (
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
)

// TestProducer_Terminal: on a terminal that can do it, progress is a line that
// rewrites itself.
func TestProducer_Terminal(t *testing.T) {
	script, err := exec.LookPath("script") // of util-linux: runs a command on a terminal of its own
	if err != nil {
		t.Skip("skipped: script is not installed")
	}
	s := server(t)
	for terminal, rewrites := range map[string]bool{"xterm": true, "dumb": false} {
		p := producer(t, s.URL, "PRODUCER_COUNT=900", "PRODUCER_RATE=1000", "TERM="+terminal, "SHELL=/bin/sh")
		run := exec.CommandContext(t.Context(), script, "-qec", p.Path, "/dev/null")
		run.Env = p.Env
		out, err := run.CombinedOutput()
		if err != nil || !strings.Contains(string(out), `"acknowledged":900,`) {
			t.Fatalf("TERM=%s: got %v, %q", terminal, err, out)
		}
		if got := strings.Contains(string(out), "/900 acknowledged  ") && strings.Contains(string(out), "\x1b[K"); got != rewrites {
			t.Errorf("TERM=%s: got a line that rewrites itself: %v, want %v: %q", terminal, got, rewrites, out)
		}
	}
}

// TestProducer_HealthcheckSaysNo: an answer that is not 200 is no health.
func TestProducer_HealthcheckSaysNo(t *testing.T) {
	for status, want := range map[int]int{http.StatusOK: 0, http.StatusServiceUnavailable: 1} {
		other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		check := producer(t, "", "PRODUCER_LISTEN="+strings.TrimPrefix(other.URL, "http://"))
		check.Args = append(check.Args, "healthcheck")
		if code, _ := check.run(t); code != want {
			t.Errorf("got exit code %d from healthcheck where /healthz answers %d, want %d", code, status, want)
		}
		other.Close()
	}
}
