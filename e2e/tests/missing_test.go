package e2e_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/awslocal"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/build"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/proc"
)

// TestMissing starts each binary without something it needs: it must name the
// thing in one line and exit with an error within ten seconds.
func TestMissing(t *testing.T) {
	c := start(t, cluster.Options{})
	noCredentials := []string{"AWS_REGION=" + awslocal.Region, "AWS_ENDPOINT_URL=" + c.AWS.URL}
	with := func(settings ...string) []string { return append(c.AWS.Env("missing"), settings...) }
	tests := map[string]struct {
		binary string
		env    []string
		code   int
		want   string
	}{
		"producer stream":         {"producer", with("PRODUCER_STREAM=nowhere"), 1, "nowhere"},
		"producer credentials":    {"producer", noCredentials, 1, "credentials"},
		"producer region":         {"producer", []string{"AWS_ENDPOINT_URL=" + c.AWS.URL, "AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b"}, 1, "AWS_REGION"},
		"producer setting":        {"producer", with("PRODUCER_COUNT=many"), 2, "PRODUCER_COUNT"},
		"consumer table":          {"consumer", with("CONSUMER_MESSAGES_TABLE=nowhere", "CONSUMER_LISTEN=127.0.0.1:0"), 1, "nowhere"},
		"consumer credentials":    {"consumer", append(noCredentials, "CONSUMER_LISTEN=127.0.0.1:0"), 1, "credentials"},
		"consumer setting":        {"consumer", with("CONSUMER_CONCURRENCY_LIMIT=0"), 2, "CONSUMER_CONCURRENCY_LIMIT"},
		"leasekeeper stream":      {"leasekeeper", with("LEASEKEEPER_STREAM=nowhere", "LEASEKEEPER_LISTEN=127.0.0.1:0"), 1, "nowhere"},
		"leasekeeper leases":      {"leasekeeper", with("LEASEKEEPER_LEASE_TABLE=nowhere", "LEASEKEEPER_LISTEN=127.0.0.1:0"), 1, "nowhere"},
		"leasekeeper workers":     {"leasekeeper", with("LEASEKEEPER_WORKER_TABLE=nowhere", "LEASEKEEPER_LISTEN=127.0.0.1:0"), 1, "nowhere"},
		"leasekeeper credentials": {"leasekeeper", append(noCredentials, "LEASEKEEPER_LISTEN=127.0.0.1:0"), 1, "credentials"},
		"leasekeeper setting":     {"leasekeeper", with("LEASEKEEPER_LEASE_DURATION=soon"), 2, "LEASEKEEPER_LEASE_DURATION"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p, err := proc.Start(proc.Spec{Name: strings.ReplaceAll(name, " ", "-"), Path: pathOf(binaries(t), tt.binary), Env: tt.env, LogDir: c.LogDir})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(p.Kill)
			began := time.Now()
			if err := p.Wait(10 * time.Second); err != nil {
				t.Fatalf("got %v, want an exit\n%s", err, p.Tail(10))
			}
			if got := p.ExitCode(); got != tt.code {
				t.Errorf("got exit code %d, want %d\n%s", got, tt.code, p.Tail(10))
			}
			if naming := linesWith(p.Tail(50), tt.want); len(naming) != 1 {
				t.Errorf("got %d lines that name %q, want one:\n%s", len(naming), tt.want, p.Tail(50))
			}
			t.Logf("after %s: %s", time.Since(began).Round(time.Millisecond), p.Tail(1))
		})
	}
}

func pathOf(b build.Binaries, name string) string {
	return map[string]string{"producer": b.Producer, "consumer": b.Consumer, "leasekeeper": b.Leasekeeper, "localaws": b.LocalAWS}[name]
}

func linesWith(text, want string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if strings.Contains(line, want) {
			out = append(out, line)
		}
	}
	return out
}

// TestVerbs checks what the binaries have in common on the command line.
func TestVerbs(t *testing.T) {
	b := binaries(t)
	for _, name := range []string{"producer", "consumer", "leasekeeper", "localaws"} {
		t.Run(name, func(t *testing.T) {
			tests := map[string]struct {
				code int
				want string
			}{
				"version":  {0, build.Version},
				"help":     {0, name},
				"settings": {0, strings.ToUpper(name) + "_"},
				"nonsense": {2, name},
			}
			for verb, tt := range tests {
				cmd := exec.Command(pathOf(b, name), verb)
				cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
				out, _ := cmd.CombinedOutput() // the exit code is looked at below
				if got := cmd.ProcessState.ExitCode(); got != tt.code || !strings.Contains(string(out), tt.want) {
					t.Errorf("%s %s: got exit code %d and %q, want %d and %q", name, verb, got, out, tt.code, tt.want)
				}
			}
		})
	}
}
