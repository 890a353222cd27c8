package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// module is a copy of the module, in a folder beside a link to localaws, which
// some tests start.
type module struct{ root string }

const siblings = "localaws"

func newModule() (*module, error) {
	root, err := os.MkdirTemp("", "breakages-")
	if err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	m := &module{root: root}
	sibling, err := filepath.Abs(filepath.Join("..", siblings))
	if err == nil {
		err = errors.Join(os.Symlink(sibling, filepath.Join(root, siblings)), os.CopyFS(m.dir(), os.DirFS(".")))
	}
	if err != nil {
		return m, fmt.Errorf("copy the module: %w", err)
	}
	return m, nil
}

func (m *module) dir() string { return filepath.Join(m.root, "consumer") }

func (m *module) remove() {
	if m != nil {
		_ = os.RemoveAll(m.root)
	}
}

// try does a task, and returns a line on how it went.
func (m *module) try(t task) (string, error) {
	if t.breakage == nil {
		if out, err := m.test(t); err != nil {
			return "", fmt.Errorf("%s fails without a breakage: %w\n%s", t.pkg, err, out)
		}
		return fmt.Sprintf("%-28s %s: %d tests", "(nothing broken)", t.pkg, len(t.tests)), nil
	}
	b := t.breakage
	files, err := b.broken(".")
	if err != nil {
		return "", fmt.Errorf("%s: %w", b.name, err)
	}
	defer m.mend(files)
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(m.dir(), name), []byte(content), 0o600); err != nil {
			return "", fmt.Errorf("%s: break %s: %w", b.name, name, err)
		}
	}
	out, err := m.test(t)
	by, caught := verdict(out, err, b.tests)
	if !caught {
		return "", fmt.Errorf("%s: %s by %s %s: %s\n%s", b.name, by, b.pkg, strings.Join(b.tests, ", "), b.what, out[:min(len(out), 4000)])
	}
	return fmt.Sprintf("%-28s %s: %s", b.name, by, b.what), nil
}

// mend puts the files back as they were.
func (m *module) mend(files map[string]string) {
	for name := range files {
		content, err := os.ReadFile(name)
		if err == nil {
			_ = os.WriteFile(filepath.Join(m.dir(), name), content, 0o600) //nolint:gosec // in a folder made just now
		}
	}
}

// test runs a task's tests, which may take five minutes.
func (m *module) test(t task) (string, error) {
	args := []string{"test", "-count=1", "-failfast", "-vet=off", "-ldflags=-w", "-timeout=5m", "-run", "^(" + strings.Join(t.tests, "|") + ")$", t.pkg}
	if m.usesRapid(t.pkg) {
		args = append(args, "-rapid.nofailfile", "-rapid.shrinktime=0s")
	}
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Env = m.dir(), append(os.Environ(), "GOWORK=off")
	out, err := cmd.CombinedOutput()
	return string(out), err //nolint:wrapcheck // the output tells
}

func (m *module) usesRapid(pkg string) bool {
	files, _ := filepath.Glob(filepath.Join(m.dir(), pkg, "*_test.go"))
	for _, file := range files {
		content, _ := os.ReadFile(file)
		if strings.Contains(string(content), `"pgregory.net/rapid"`) {
			return true
		}
	}
	return false
}

var failed = regexp.MustCompile(`(?m)^--- FAIL: (\w+)`)

// verdict tells by what a breakage was noticed, or why it was not.
func verdict(out string, err error, tests []string) (by string, caught bool) {
	switch found := failed.FindStringSubmatch(out); {
	case err == nil:
		return "not noticed", false
	case strings.Contains(out, "[build failed]"), strings.Contains(out, "[setup failed]"):
		return "does not compile", false
	case strings.Contains(out, "panic: test timed out"), strings.Contains(out, "SIGQUIT"):
		return "not noticed within 5 minutes", false
	case found != nil:
		for _, t := range tests {
			if t == found[1] {
				return t, true
			}
		}
		return found[1] + " instead of being noticed", false
	case strings.Contains(out, "panic: "), strings.Contains(out, "fatal error: "):
		return "a panic", true
	}
	return "not noticed", false
}
