package e2e_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/build"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
)

// TestPage opens the status page of a running fleet in a real browser. E2E_SHOTS
// names a folder for the screenshots.
func TestPage(t *testing.T) {
	chromium := browser(t)
	root, err := build.Root()
	if err != nil {
		t.Fatal(err)
	}
	folder := install(t, root)
	shots := os.Getenv("E2E_SHOTS")
	if shots == "" {
		shots = t.TempDir()
	}
	s := start(t, cluster.Options{Lease: shortLease})
	tasks := s.startTasks(2)
	s.produce(0, 50)
	s.spread(2)
	url, _ := tasks[0].URLs()
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, "node", filepath.Join(folder, "page.mjs"), url, shots, chromium).CombinedOutput()
	if err != nil || !strings.Contains(string(out), `"page":"ok"`) {
		t.Fatalf("%v\n%s", err, out)
	}
}

func browser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("skipped: needs Chromium")
	return ""
}

// install copies the script beside its package, below bin/, and returns the folder.
func install(t *testing.T, root string) string {
	t.Helper()
	folder := filepath.Join(root, "bin", "page")
	if err := os.MkdirAll(folder, 0o750); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"package.json", "page.mjs"} {
		text, err := os.ReadFile(filepath.Join(root, "e2e", "page", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "node_modules", "playwright-core")); err == nil {
		return folder
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "npm", "install", "--no-audit", "--no-fund", "--prefix", folder).CombinedOutput(); err != nil {
		t.Skipf("skipped: needs npm, with a registry to install from: %v\n%s", err, out)
	}
	return folder
}
