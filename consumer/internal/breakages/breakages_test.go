package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBreakages_fit keeps the deliberate faults in step with the code: each
// place they change must be there exactly once, and the tests that are to notice
// must exist. Whether they notice takes minutes and is the command's part.
func TestBreakages_fit(t *testing.T) {
	t.Chdir("../..")
	all, err := load(folder)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 50 {
		t.Errorf("got %d breakages, want 50 or more", len(all))
	}
	names := map[string]bool{}
	for _, b := range all {
		if names[b.name] {
			t.Errorf("two breakages are called %s", b.name)
		}
		names[b.name] = true
		if _, err := b.broken("."); err != nil {
			t.Errorf("%s: %v", b.name, err)
		}
		sources := tests(t, b.pkg)
		for _, name := range b.tests {
			if !strings.Contains(sources, "\nfunc "+name+"(") {
				t.Errorf("%s: there is no %s in %s", b.name, name, b.pkg)
			}
		}
	}
}

func tests(t *testing.T, pkg string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(pkg, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(content)
	}
	return all.String()
}
