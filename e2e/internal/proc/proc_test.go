package proc_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/proc"
)

const patience = 20 * time.Second

func start(t *testing.T, script string, env ...string) *proc.Process {
	t.Helper()
	p, err := proc.Start(proc.Spec{Name: "sh", Path: "/bin/sh", Args: []string{"-c", script}, Env: env, LogDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p
}

func waiting(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func TestProcess_WaitListening(t *testing.T) {
	p := start(t, `echo '{"message":"other","address":"no"}' >&2; echo '{"message":"listening","address":"127.0.0.1:9"}' >&2; sleep 60`)
	got, err := p.WaitListening(waiting(t))
	if err != nil || got != "127.0.0.1:9" {
		t.Errorf("got %q, %v, want 127.0.0.1:9", got, err)
	}
}

func TestProcess_WaitListening_Exited(t *testing.T) {
	p := start(t, `echo "no stream" >&2; exit 1`)
	_, err := p.WaitListening(waiting(t))
	if !errors.Is(err, proc.ErrExited) || !strings.Contains(err.Error(), "no stream") {
		t.Errorf("got %v, want ErrExited with the last lines", err)
	}
	if got := p.ExitCode(); got != 1 {
		t.Errorf("got exit code %d, want 1", got)
	}
}

func TestProcess_LastError(t *testing.T) {
	for script, want := range map[string]string{
		`echo '{"error":"once","message":"trying"}' >&2; echo '{"error":"address in use","message":"stopped"}' >&2; echo '{"message":"bye"}' >&2`: "address in use",
		`echo '{"message":"bye"}' >&2; echo "not JSON" >&2`: "",
	} {
		p := start(t, script)
		if err := p.Wait(patience); err != nil {
			t.Fatal(err)
		}
		if got := p.LastError(); got != want {
			t.Errorf("%s: got %q, want %q", script, got, want)
		}
	}
}

func TestProcess_Stop(t *testing.T) {
	tests := map[string]struct {
		script string
		want   error
		code   int
	}{
		"ends by itself":    {`trap 'exit 3' TERM; echo up; while :; do sleep 0.05; done`, nil, 3},
		"has to be killed":  {`trap '' TERM; echo up; while :; do sleep 0.05; done`, proc.ErrTimeout, -1},
		"has ended already": {`echo up; exit 4`, nil, 4},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := start(t, tt.script)
			if _, err := p.WaitLine(waiting(t), true, func(line string) bool { return line == "up" }); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(tt.script, "exit 4") {
				<-p.Done()
			}
			timeout := patience
			if tt.want != nil {
				timeout = 200 * time.Millisecond
			}
			if err := p.Stop(timeout); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if err := p.Wait(patience); err != nil {
				t.Fatal(err)
			}
			if got := p.ExitCode(); got != tt.code {
				t.Errorf("got exit code %d, want %d", got, tt.code)
			}
		})
	}
}

func TestProcess_Pause(t *testing.T) {
	p := start(t, `while :; do echo tick; sleep 0.02; done`)
	if _, err := p.WaitLine(waiting(t), true, func(line string) bool { return line == "tick" }); err != nil {
		t.Fatal(err)
	}
	if err := p.Pause(); err != nil {
		t.Fatal(err)
	}
	if err := p.Resume(); err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(patience); err != nil {
		t.Fatal(err)
	}
	if err := p.Pause(); !errors.Is(err, proc.ErrExited) {
		t.Errorf("got %v, want ErrExited", err)
	}
}

func TestStart_Environment(t *testing.T) {
	t.Setenv("AWS_PROFILE", "somebody")
	t.Setenv("CONSUMER_LISTEN", "1.2.3.4:5")
	p := start(t, `env`, "MINE=1")
	if err := p.Wait(patience); err != nil {
		t.Fatal(err)
	}
	env := p.Stdout()
	for _, unwanted := range []string{"AWS_PROFILE", "CONSUMER_LISTEN"} {
		if strings.Contains(env, unwanted) {
			t.Errorf("got %s of the caller in the environment", unwanted)
		}
	}
	for _, want := range []string{"MINE=1", "AWS_CONFIG_FILE=" + os.DevNull, "PATH="} {
		if !strings.Contains(env, want) {
			t.Errorf("got no %s in the environment:\n%s", want, env)
		}
	}
}
