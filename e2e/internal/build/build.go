// Package build compiles the binaries of the sibling modules, each exactly as
// its own module would (`GOWORK=off`), so that the tests start what a user runs.
package build

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

// Version is what the built binaries report as their own.
const Version = "0.0.0-e2e"

// ErrNoSource means that a sibling module has no main package to build.
var ErrNoSource = errors.New("module has no main package")

// Binaries are the paths of the built executables.
type Binaries struct {
	LocalAWS, Producer, Consumer, Leasekeeper string
}

// Options say where binaries go and how they are made.
type Options struct {
	Root string // of the repository; found from the working directory if empty
	Dir  string // output folder; <root>/bin/e2e (or e2e-race) if empty
	Race bool   // build with the race detector
}

// All builds the four binaries, side by side as far as there are cores. A
// binary that is up to date costs some 100 ms.
func All(ctx context.Context, o Options) (Binaries, error) {
	if o.Root == "" {
		root, err := Root()
		if err != nil {
			return Binaries{}, err
		}
		o.Root = root
	}
	if o.Dir == "" {
		o.Dir = filepath.Join(o.Root, "bin", "e2e")
		if o.Race {
			o.Dir += "-race"
		}
	}
	if err := os.MkdirAll(o.Dir, 0o755); err != nil { //nolint:gosec // binaries, not secrets
		return Binaries{}, fmt.Errorf("make output folder: %w", err)
	}
	modules := []string{"localaws", "producer", "consumer", "leasekeeper"}
	errs := make([]error, len(modules))
	slots := make(chan struct{}, max(1, runtime.NumCPU()))
	var wg sync.WaitGroup
	for i, module := range modules {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			errs[i] = one(ctx, o, module)
		})
	}
	wg.Wait()
	return In(o.Dir), errors.Join(errs...)
}

// In names the binaries of a folder where they have been built already.
func In(dir string) Binaries {
	at := func(name string) string { return filepath.Join(dir, name) }
	return Binaries{
		LocalAWS: at("localaws"), Producer: at("producer"),
		Consumer: at("consumer"), Leasekeeper: at("leasekeeper"),
	}
}

// one builds one module. `go build -o` replaces the file by renaming, so a
// process that still runs the old binary is left alone.
func one(ctx context.Context, o Options, module string) error {
	source := filepath.Join(o.Root, module)
	if _, err := os.Stat(filepath.Join(source, "main.go")); err != nil {
		return fmt.Errorf("build %s: %w", module, ErrNoSource)
	}
	args := []string{"build", "-C", source, "-trimpath", "-ldflags", "-X main.version=" + Version}
	if o.Race {
		args = append(args, "-race")
	}
	args = append(args, "-o", filepath.Join(o.Dir, module), ".")
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	cmd.WaitDelay = time.Second // for compilers that outlive a go command that was interrupted
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", module, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// Root finds the repository from the working directory upwards: the folder that
// holds go.work.
func Root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find repository: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("find repository: no go.work in this folder or above")
		}
		dir = parent
	}
}
