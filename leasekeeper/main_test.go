package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	for name, tc := range map[string]struct {
		args   []string
		code   int
		stdout string
		stderr string
	}{
		"version":      {[]string{"version"}, 0, "dev\n", ""},
		"version json": {[]string{"version", "--json"}, 0, `{"name":"leasekeeper","version":"dev"}`, ""},
		"help":         {[]string{"--help"}, 0, "usage: leasekeeper", ""},
		"settings":     {[]string{"settings"}, 0, "| `LEASEKEEPER_STREAM` | `test` |", ""},
		"unknown verb": {[]string{"claim"}, 2, "", `unknown verb "claim"`},
		"too many":     {[]string{"version", "please"}, 2, "", "unknown verb"},

		"help of a verb":       {[]string{"leases", "--help"}, 0, "usage: leasekeeper", ""},
		"help of healthcheck":  {[]string{"healthcheck", "-h"}, 0, "usage: leasekeeper", ""},
		"help of release":      {[]string{"release", "--help"}, 0, "usage: leasekeeper", ""},
		"help of rewind":       {[]string{"rewind", "--to", "LATEST", "--help"}, 0, "shard ids, separated by commas", ""},
		"help of no verb":      {[]string{"claim", "--help"}, 2, "", `unknown verb "claim --help"`},
		"release whom":         {[]string{"release"}, 2, "", "release: want a worker"},
		"rewind where":         {[]string{"rewind"}, 2, "", "rewind --to: want TRIM_HORIZON"},
		"rewind what":          {[]string{"rewind", "--to", "LATEST", "shardId-000000000000"}, 2, "", `rewind: "shardId-000000000000" is no flag`},
		"rewind, unknown flag": {[]string{"rewind", "--from", "LATEST"}, 2, "", "flag provided but not defined: -from"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := run(tc.args, &stdout, &stderr); code != tc.code {
				t.Errorf("got exit code %d, want %d", code, tc.code)
			}
			if !strings.Contains(stdout.String(), tc.stdout) || !strings.Contains(stderr.String(), tc.stderr) {
				t.Errorf("got %q and %q, want %q and %q", stdout.String(), stderr.String(), tc.stdout, tc.stderr)
			}
		})
	}
}

func TestRun_SettingsJSON(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run([]string{"settings", "--json"}, &stdout, &stderr); code != 0 {
		t.Fatalf("got exit code %d: %s", code, stderr.String())
	}
	var rows []struct{ Variable, Default, Meaning string }
	if err := json.Unmarshal(stdout.Bytes(), &rows); err != nil || len(rows) < 10 || rows[0].Variable != "LEASEKEEPER_STREAM" || rows[0].Default != "test" {
		t.Errorf("got %+v, %v, want every setting", rows, err)
	}
}

// Bad settings: every violation, exit code 2, before anything is touched.
func TestRun_BadSettings(t *testing.T) {
	t.Setenv("LEASEKEEPER_LEASE_DURATION", "1h")
	t.Setenv("LEASEKEEPER_MAX_LEASES", "-1")
	for _, verb := range []string{"healthcheck", "leases", "pause"} {
		if code := run([]string{verb}, io.Discard, io.Discard); code != 2 {
			t.Errorf("%s: got exit code %d, want 2", verb, code)
		}
	}
	var stdout, stderr bytes.Buffer
	if code := run(nil, &stdout, &stderr); code != 2 {
		t.Fatalf("got exit code %d, want 2", code)
	}
	if lines := strings.Split(strings.TrimSpace(stderr.String()), "\n"); len(lines) != 3 { // the drain timeout is too short for it as well
		t.Errorf("got %q, want a line for each violation", lines)
	}
}

// TestAskHealthz_Proxy asks its own process, whatever proxy there is for AWS.
// From the environment net/http takes none for loopback addresses, but for any
// other one that LEASEKEEPER_LISTEN may name.
func TestAskHealthz_Proxy(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	usual := http.DefaultTransport
	defer func() { http.DefaultTransport = usual }()
	http.DefaultTransport = &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: "127.0.0.1:1"})}
	if err := askHealthz(strings.TrimPrefix(server.URL, "http://")); err != nil {
		t.Error(err)
	}
}
