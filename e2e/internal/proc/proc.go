// Package proc runs one operating-system process for a test or the demo: with
// an environment of its own (nothing of the caller's AWS settings leaks in), in
// its own process group, its output in a file and in a bounded ring, every wait
// bounded, and no way to leave it behind.
package proc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Sentinels of the waits.
var (
	ErrExited  = errors.New("process has exited")
	ErrTimeout = errors.New("process did not exit in time")
)

// Spec says what to start.
type Spec struct {
	Name   string   // also the name of the log file
	Path   string   // the executable
	Args   []string // a verb, or nothing
	Env    []string // KEY=value; PATH, HOME and TMPDIR are added
	LogDir string
	Stdin  io.Reader // nil: none
}

// Process is a started process. Its methods may be called from any goroutine.
type Process struct {
	name   string
	log    string
	cmd    *exec.Cmd
	out    *lineLog
	stdout *lineLog
	done   chan struct{}
	err    error
	ended  time.Time
}

// Start starts the process. The caller must call Stop or Kill.
func Start(spec Spec) (*Process, error) {
	path := filepath.Join(spec.LogDir, spec.Name+".log")
	out, err := newLineLog(path)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", spec.Name, err)
	}
	stdout, err := newLineLog(filepath.Join(spec.LogDir, spec.Name+".out"))
	if err != nil {
		out.close()
		return nil, fmt.Errorf("start %s: %w", spec.Name, err)
	}
	cmd := exec.Command(spec.Path, spec.Args...)
	cmd.Env = append(base(), spec.Env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = spec.Stdin, stdout, out
	cmd.SysProcAttr = group()
	cmd.WaitDelay = 2 * time.Second
	if err := cmd.Start(); err != nil {
		out.close()
		stdout.close()
		return nil, fmt.Errorf("start %s: %w", spec.Name, err)
	}
	p := &Process{name: spec.Name, log: path, cmd: cmd, out: out, stdout: stdout, done: make(chan struct{})}
	go p.reap()
	return p, nil
}

// base is the environment every process starts from.
func base() []string {
	env := []string{"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull}
	for _, key := range []string{"PATH", "HOME", "TMPDIR", "GORACE"} {
		if value, ok := os.LookupEnv(key); ok {
			env = append(env, key+"="+value)
		}
	}
	return env
}

func (p *Process) reap() {
	p.err = p.cmd.Wait()
	p.ended = time.Now()
	p.out.close()
	p.stdout.close()
	close(p.done)
}

// Name is the name given in Spec.
func (p *Process) Name() string { return p.name }

// LogPath is the file with everything the process wrote to standard error.
func (p *Process) LogPath() string { return p.log }

// Tail returns the last n lines of standard error.
func (p *Process) Tail(n int) string { return p.out.tail(n) }

// Stdout returns the last lines of standard output.
func (p *Process) Stdout() string { return p.stdout.tail(ringLines) }

// Done is closed when the process has exited.
func (p *Process) Done() <-chan struct{} { return p.done }

// Running tells whether the process has not exited yet.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// ExitCode returns the exit code once the process has exited, -1 before that
// and for a process that a signal ended.
func (p *Process) ExitCode() int {
	if p.Running() {
		return -1
	}
	return p.cmd.ProcessState.ExitCode()
}

// CPU returns user and system time together once the process has exited.
func (p *Process) CPU() time.Duration {
	if p.Running() {
		return 0
	}
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
}

// Signal sends a signal to the process and whatever it has started.
func (p *Process) Signal(sig syscall.Signal) error {
	if !p.Running() {
		return fmt.Errorf("signal %s: %w", p.name, ErrExited)
	}
	if err := syscall.Kill(-p.cmd.Process.Pid, sig); err != nil {
		return fmt.Errorf("signal %s: %w", p.name, err)
	}
	return nil
}

// Pause stops the process where it stands (SIGSTOP): a zombie in the making.
func (p *Process) Pause() error { return p.Signal(syscall.SIGSTOP) }

// Resume lets a paused process go on (SIGCONT).
func (p *Process) Resume() error { return p.Signal(syscall.SIGCONT) }

// Kill ends the process at once (SIGKILL) and waits until it is gone.
func (p *Process) Kill() {
	_ = p.Signal(syscall.SIGKILL) // an exited process is what we want
	<-p.done
}

// Stop asks the process to end (SIGTERM) and waits up to the timeout; one that
// does not end by itself is killed and ErrTimeout returned.
func (p *Process) Stop(timeout time.Duration) error {
	if !p.Running() {
		return nil
	}
	_ = p.Signal(syscall.SIGTERM)
	if err := p.Wait(timeout); err != nil {
		p.Kill()
		return err
	}
	return nil
}

// Wait waits up to the timeout for the process to exit by itself.
func (p *Process) Wait(timeout time.Duration) error {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-p.done:
		return nil
	case <-timer.C:
		return fmt.Errorf("wait %s for %s: %w", timeout, p.name, ErrTimeout)
	}
}

// WaitLine waits until a line of standard error (or, with stdout, of standard
// output) matches, and returns it. It gives up when the process exits or ctx ends.
func (p *Process) WaitLine(ctx context.Context, stdout bool, match func(string) bool) (string, error) {
	log := p.out
	if stdout {
		log = p.stdout
	}
	for {
		line, ok, changed := log.find(match)
		if ok {
			return line, nil
		}
		select {
		case <-changed:
		case <-p.done:
			if line, ok, _ := log.find(match); ok {
				return line, nil
			}
			return "", fmt.Errorf("wait for a line of %s: %w with %d\n%s", p.name, ErrExited, p.ExitCode(), p.Tail(20))
		case <-ctx.Done():
			return "", fmt.Errorf("wait for a line of %s: %w\n%s", p.name, ctx.Err(), p.Tail(20))
		}
	}
}
