package infra

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Binary is a built binary of one module.
type Binary struct{ Path string }

// Build builds the module's binary into dir.
func Build(ctx context.Context, root, module, dir string) (Binary, error) {
	path := filepath.Join(dir, module)
	cmd := exec.CommandContext(ctx, "go", "build", "-o", path, ".")
	cmd.Dir = filepath.Join(root, module)
	cmd.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return Binary{}, fmt.Errorf("build %s: %w: %s", module, err, out)
	}
	return Binary{path}, nil
}

// Settings returns the variables the binary knows.
func (b Binary) Settings(ctx context.Context) (map[string]bool, error) {
	out, problems, err := b.run(ctx, nil, "settings", "--json")
	if err != nil {
		return nil, fmt.Errorf("list settings of %s: %w: %s", b.Path, err, problems)
	}
	var list []struct{ Variable string }
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list) == 0 {
		return nil, fmt.Errorf("list settings of %s: no list in %q", b.Path, out)
	}
	known := map[string]bool{}
	for _, setting := range list {
		known[setting.Variable] = true
	}
	return known, nil
}

// Refusal runs the binary's verb healthcheck, which reads its settings before
// anything else, with exactly these variables. It returns what the binary says
// against them, empty when it takes them.
func (b Binary) Refusal(ctx context.Context, variables map[string]string) string {
	var env []string
	for key, value := range variables {
		env = append(env, key+"="+value)
	}
	_, problems, err := b.run(ctx, env, "healthcheck")
	if err == nil {
		return ""
	}
	for key := range variables {
		if strings.Contains(problems, key+":") {
			return problems
		}
	}
	return ""
}

func (b Binary) run(ctx context.Context, env []string, verb ...string) (stdout, stderr string, err error) {
	var out, problems bytes.Buffer
	cmd := exec.CommandContext(ctx, b.Path, verb...)
	cmd.Env = append([]string{"PATH=/nowhere"}, env...)
	cmd.Stdout, cmd.Stderr = &out, &problems
	err = cmd.Run()
	return out.String(), problems.String(), err
}
