package main_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// build compiles the binary once for all tests.
var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "localaws")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "localaws")
	out, err := exec.Command("go", "build", "-ldflags", "-X main.version=9.9.9", "-o", path, ".").CombinedOutput()
	if err != nil {
		return "", errors.New(string(out))
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := build(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

func command(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Env = append(os.Environ(), env...)
	return cmd
}

// TestBinary_ServesUntilTold starts the binary on a free port, reads its address
// from the first line, asks for its health and stops it.
func TestBinary_ServesUntilTold(t *testing.T) {
	cmd := command(t, []string{"LOCALAWS_LISTEN=127.0.0.1:0"})
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var logs bytes.Buffer
	cmd.Stderr = &logs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		t.Fatalf("read the first line: %v, logs: %s", err, logs.String())
	}
	var first struct{ Listening string }
	if err := json.Unmarshal(line, &first); err != nil || !strings.HasPrefix(first.Listening, "http://127.0.0.1:") {
		t.Fatalf("the first line is %s: %v", line, err)
	}
	resp, err := http.Get(first.Listening + "/_localaws/health")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("health: %s", resp.Status)
	}
	check := command(t, []string{"LOCALAWS_LISTEN=" + strings.TrimPrefix(first.Listening, "http://")}, "healthcheck")
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("healthcheck: %v: %s", err, out)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v, logs: %s", err, logs.String())
	}
	if !strings.Contains(logs.String(), `"message":"listening"`) {
		t.Errorf("no log line says listening: %s", logs.String())
	}
}

func TestBinary_Verbs(t *testing.T) {
	for _, tc := range []struct {
		name string
		args []string
		env  []string
		code int
		want string
	}{
		{"version", []string{"version"}, nil, 0, "9.9.9\n"},
		{"version as JSON", []string{"version", "--json"}, nil, 0, `"version":"9.9.9"`},
		{"settings", []string{"settings"}, nil, 0, "| `LOCALAWS_LISTEN` |"},
		{"help", []string{"--help"}, nil, 0, "usage: localaws"},
		{"unknown verb", []string{"dance"}, nil, 2, `unknown verb "dance"`},
		{"bad settings", nil, []string{"LOCALAWS_LISTEN=x", "LOCALAWS_LOG_LEVEL=loud"}, 2, "LOCALAWS_LOG_LEVEL"},
		{"unknown setting", nil, []string{"LOCALAWS_LISTNE=x"}, 2, "did you mean LOCALAWS_LISTEN?"},
		{"address in use", nil, []string{"LOCALAWS_LISTEN=192.0.2.1:1"}, 1, "listen on 192.0.2.1:1"},
		{"not healthy", []string{"healthcheck"}, []string{"LOCALAWS_LISTEN=127.0.0.1:1"}, 1, "localaws:"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cmd := command(t, tc.env, tc.args...)
			out, err := cmd.CombinedOutput()
			if got := cmd.ProcessState.ExitCode(); got != tc.code {
				t.Errorf("exit code %d, want %d: %v", got, tc.code, err)
			}
			if !strings.Contains(string(out), tc.want) {
				t.Errorf("output %q does not contain %q", out, tc.want)
			}
		})
	}
}
