// Breakages proves that the simulator can fail: it takes each deliberate fault
// of internal/sim/breakages, builds the simulator with it, and runs schedules
// until an invariant is violated. A fault that no longer fits the
// code, or that no schedule catches, is an error.
//
//	go run ./internal/sim/cmd/breakages              # all of them, in the module's folder
//	go run ./internal/sim/cmd/breakages S1 S15       # some
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

const folder = "internal/sim/breakages"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "breakages:", err)
		os.Exit(1)
	}
}

func run(only []string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.txt"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("find breakages in %s: run this in the leasekeeper folder (%w)", folder, errors.Join(err, fs.ErrNotExist))
	}
	control, remove, err := buildControl()
	if err != nil {
		return err
	}
	defer remove()
	var missed []string
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		if len(only) > 0 && !wanted(name, only) {
			continue
		}
		if err := try(name, file, control); err != nil {
			fmt.Printf("FAIL  %-28s %v\n", name, err)
			missed = append(missed, name)
		}
	}
	if len(missed) > 0 {
		return fmt.Errorf("not caught: %s", strings.Join(missed, ", "))
	}
	return nil
}

func wanted(name string, only []string) bool {
	for _, o := range only {
		if name == o || strings.HasPrefix(name, o+"-") {
			return true
		}
	}
	return false
}

// try makes one breakage and has it caught.
func try(name, file, control string) error {
	b, err := parse(file)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "breakage-")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	overlay, err := b.overlay(dir)
	if err != nil {
		return err
	}
	binary := filepath.Join(dir, "sim.bin")
	if err := build(binary, "-overlay", overlay); err != nil {
		return err
	}
	return b.catch(name, binary, control)
}

// catch runs schedules until one is violated, and makes sure that the unbroken
// control is not violated by the same seed.
func (b *breakage) catch(name, binary, control string) error {
	began := time.Now()
	args := []string{"-large=false", "-seeds", b.seeds}
	if b.kind != "" {
		args = append(args, "-kind", b.kind)
	}
	out, err := exec.Command(binary, args...).Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return fmt.Errorf("run: %w", err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	var summary struct{ Schedules, Violations int }
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &summary); err != nil {
		return fmt.Errorf("read the summary of %d lines: %w", len(lines), err)
	}
	if summary.Violations == 0 {
		return fmt.Errorf("%d schedules and no violation: %s", summary.Schedules, b.what)
	}
	found := regexp.MustCompile(`^seed (\d+) .*?\): (\S+) at`).FindStringSubmatch(lines[0])
	if found == nil {
		return fmt.Errorf("read violation %q", lines[0])
	}
	if !strings.Contains(b.expect, found[2]) {
		return fmt.Errorf("expected %s, got %s", b.expect, lines[0])
	}
	if out, err := exec.Command(control, "-seed", found[1]).CombinedOutput(); err != nil {
		return fmt.Errorf("seed %s is violated without the breakage, too: %s", found[1], out)
	}
	fmt.Printf("ok    %-28s %-8s after %4d schedules, seed %s, %.1f s: %s\n",
		name, found[2], summary.Schedules, found[1], time.Since(began).Seconds(), b.what)
	return nil
}

// buildControl builds the simulator of the code as it is.
func buildControl() (binary string, remove func(), err error) {
	dir, err := os.MkdirTemp("", "breakage-control-")
	if err != nil {
		return "", nil, fmt.Errorf("make a folder: %w", err)
	}
	binary = filepath.Join(dir, "sim.bin")
	return binary, func() { _ = os.RemoveAll(dir) }, build(binary)
}

func build(binary string, flags ...string) error {
	cmd := exec.Command("go", append(append([]string{"build", "-o", binary}, flags...), "./internal/sim/cmd/sim")...)
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	return nil
}
