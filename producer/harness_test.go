package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/account"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/local"
)

// binaries builds producer and localaws once. Tests are skipped when localaws
// is not beside this module.
func binaries(t *testing.T) (producer, localaws string) {
	t.Helper()
	b := build()
	if errors.Is(b.err, local.ErrAbsent) {
		t.Skip("skipped: ", b.err)
	}
	if b.err != nil {
		t.Fatal(b.err)
	}
	return filepath.Join(b.folder, "producer"), filepath.Join(b.folder, "localaws")
}

type built struct {
	folder string
	err    error
}

// build looks at every file the binaries are built from, so that `go test` does
// not take an old result when one of them changed.
var build = sync.OnceValue(func() built {
	err := filepath.WalkDir(".", func(path string, _ os.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".go") {
			_, err = os.Stat(path)
		}
		return err
	})
	if err != nil {
		return built{err: err}
	}
	folder, err := os.MkdirTemp("", "producer-test")
	if err != nil {
		return built{err: err}
	}
	if _, err := local.Build(context.Background(), folder); err != nil {
		return built{folder, err}
	}
	out, err := exec.Command("go", "build", "-o", filepath.Join(folder, "producer"), ".").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("build producer: %w\n%s", err, out)
	}
	return built{folder, err}
})

func TestMain(m *testing.M) {
	code := m.Run()
	if b := build(); b.folder != "" {
		_ = os.RemoveAll(b.folder)
	}
	os.Exit(code)
}

// server starts a localaws with a stream named test.
func server(t *testing.T) *local.Server {
	t.Helper()
	_, binary := binaries(t)
	s, err := local.Start(binary, local.Signed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if _, err := s.CreateStream(t.Context(), "test", 3); err != nil {
		t.Fatal(err)
	}
	return s
}

func fault(t *testing.T, s *local.Server, rule map[string]any) {
	t.Helper()
	rule["service"], rule["operation"] = "kinesis", "PutRecords"
	if err := s.Admin(t.Context(), "POST", "faults", rule, nil); err != nil {
		t.Fatal(err)
	}
}

// struck waits until the one fault rule has been applied.
func struck(t *testing.T, s *local.Server) {
	t.Helper()
	eventually(t, "the fault strikes", func() bool {
		var list struct{ Faults []struct{ Hits int } }
		err := s.Admin(t.Context(), "GET", "faults", nil, &list)
		return err == nil && len(list.Faults) == 1 && list.Faults[0].Hits > 0
	})
}

// process is a producer under test.
type process struct {
	*exec.Cmd
	out, errOut bytes.Buffer
}

// producer prepares the binary with these settings and no others.
func producer(t *testing.T, url string, env ...string) *process {
	t.Helper()
	binary, _ := binaries(t)
	p := &process{Cmd: exec.CommandContext(t.Context(), binary)}
	p.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=producer",
		"AWS_SECRET_ACCESS_KEY=" + local.Secret, "AWS_ENDPOINT_URL=" + url, "AWS_EC2_METADATA_DISABLED=true"}, env...)
	p.Stdout, p.Stderr = &p.out, &p.errOut
	return p
}

// end waits for the process, a minute at most, and returns its exit code and account.
func (p *process) end(t *testing.T) (int, account.Summary) {
	t.Helper()
	defer time.AfterFunc(time.Minute, func() {
		t.Error("the process does not end")
		_ = p.Process.Kill()
	}).Stop()
	var exit *exec.ExitError
	if err := p.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	var sum account.Summary
	if p.out.Len() > 0 {
		if err := json.Unmarshal(p.out.Bytes(), &sum); err != nil {
			t.Fatalf("standard output is not one JSON object: %v: %q", err, p.out.String())
		}
	}
	if strings.ContainsAny(p.errOut.String(), "\x1b\r") {
		t.Errorf("control characters without a terminal: %q", p.errOut.String())
	}
	return p.ProcessState.ExitCode(), sum
}

func (p *process) run(t *testing.T) (int, account.Summary) {
	t.Helper()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	return p.end(t)
}

// eventually polls until ok, within a generous deadline.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not after 30 s: %s", what)
		}
	}
}

// stored reads how often each message is on the stream.
func stored(t *testing.T, s *local.Server) map[string]int {
	t.Helper()
	copies := map[string]int{}
	if err := local.Read(t.Context(), s.Client("reader"), "test", func(m local.Stored) { copies[string(m.Data)]++ }); err != nil {
		t.Fatal(err)
	}
	return copies
}
