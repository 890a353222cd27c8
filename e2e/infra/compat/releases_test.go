package compat_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/build"
)

// The newest release of one with the head of the other, both ways.
func TestPair_ReleaseWithHead(t *testing.T) {
	for _, module := range []string{"leasekeeper", "consumer"} {
		t.Run(module, func(t *testing.T) {
			released, tag := release(t, module)
			f := newFleet(t)
			leasekeeper, consumer := f.head.Leasekeeper, f.head.Consumer
			if module == "leasekeeper" {
				leasekeeper = released
			} else {
				consumer = released
			}
			t.Logf("%s with the head of the other", tag)
			f.pair(f.leasekeeper(leasekeeper), consumer)
		})
	}
}

// release builds the newest tag of a module.
func release(t *testing.T, module string) (path, tag string) {
	t.Helper()
	root, err := build.Root()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("git", "-C", root, "tag", "--list", "--sort=-version:refname", module+"/v*").Output()
	tag, _, _ = strings.Cut(string(out), "\n")
	if err != nil || tag == "" {
		t.Skipf("no release of %s yet: the recording stands in for it", module)
	}
	dir := t.TempDir()
	path = filepath.Join(dir, module+".bin")
	script := `git -C "$1" archive "$2" "$3" | tar -xf - && cd "$3" && GOWORK=off CGO_ENABLED=0 go build -o "$4" .`
	cmd := exec.Command("sh", "-ec", script, "sh", root, tag, module, path)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v: %s", tag, err, out)
	}
	return path, tag
}
