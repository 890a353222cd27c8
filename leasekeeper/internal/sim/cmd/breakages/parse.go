package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// breakage is one deliberate fault: a few exact replacements.
type breakage struct {
	what   string // in words
	expect string // the invariants that may catch it
	kind   string // of the schedules to run; empty: all
	seeds  string // how many at most
	edits  []edit
}

type edit struct{ file, old, new string }

// parse reads a breakage: `key: value` lines, then for each replacement a
// `file:` line and the old and new text between <<<<, ==== and >>>> lines.
func parse(path string) (*breakage, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read breakage: %w", err)
	}
	b := &breakage{seeds: "1000"}
	var file string
	var into *string
	var current edit
	for n, line := range strings.Split(string(content), "\n") {
		switch {
		case line == "<<<<":
			current = edit{file: file}
			into = &current.old
		case line == "====" && into != nil:
			into = &current.new
		case line == ">>>>" && into != nil:
			b.edits, into = append(b.edits, current), nil
		case into != nil:
			*into += line + "\n"
		case strings.TrimSpace(line) == "":
		default:
			key, value, ok := strings.Cut(line, ": ")
			if !ok || !b.set(key, value, &file) {
				return nil, fmt.Errorf("%s:%d: %q is not understood", path, n+1, line)
			}
		}
	}
	if into != nil || len(b.edits) == 0 {
		return nil, fmt.Errorf("%s: no whole replacement in it", path)
	}
	return b, nil
}

func (b *breakage) set(key, value string, file *string) bool {
	switch key {
	case "what":
		b.what = value
	case "expect":
		b.expect = value
	case "kind":
		b.kind = value
	case "seeds":
		b.seeds = value
	case "file":
		*file = value
	default:
		return false
	}
	return true
}

// apply makes every replacement; each old text must be there exactly once.
func (b *breakage) apply(dir string) error {
	for _, e := range b.edits {
		path := filepath.Join(dir, e.file)
		content, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read the file to break: %w", err)
		}
		if n := strings.Count(string(content), e.old); n != 1 {
			return fmt.Errorf("no longer fits: %d places in %s are\n%s", n, e.file, e.old)
		}
		broken := strings.Replace(string(content), e.old, e.new, 1)
		if err := os.WriteFile(path, []byte(broken), 0o600); err != nil { //nolint:gosec // a copy made just now
			return fmt.Errorf("break %s: %w", e.file, err)
		}
	}
	return nil
}
