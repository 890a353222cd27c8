package main

import (
	"path/filepath"
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
		if _, err := b.broken(module); err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
		}
	}
}
