package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBreakages_fit keeps the deliberate faults in step with the code: each
// place they change must be there exactly once. Whether they are caught takes
// minutes and is the command's part.
func TestBreakages_fit(t *testing.T) {
	t.Parallel()
	const module = "../../../.."
	files, err := filepath.Glob(filepath.Join(module, folder, "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 12 {
		t.Fatalf("got %d breakages, want at least 12", len(files))
	}
	for _, file := range files {
		b, err := parse(file)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, e := range b.edits {
			content, err := os.ReadFile(filepath.Join(module, e.file))
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(content), e.old); n != 1 {
				t.Errorf("%s: %d places in %s are\n%s", filepath.Base(file), n, e.file, e.old)
			}
		}
	}
}
