package main

import (
	"encoding/json"
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

// broken returns the files that the replacements change, as they then are; each
// old text must be there exactly once.
func (b *breakage) broken(module string) (map[string]string, error) {
	files := make(map[string]string)
	for _, e := range b.edits {
		if _, ok := files[e.file]; !ok {
			content, err := os.ReadFile(filepath.Join(module, e.file))
			if err != nil {
				return nil, fmt.Errorf("read the file to break: %w", err)
			}
			files[e.file] = string(content)
		}
		if n := strings.Count(files[e.file], e.old); n != 1 {
			return nil, fmt.Errorf("no longer fits: %d places in %s are\n%s", n, e.file, e.old)
		}
		files[e.file] = strings.Replace(files[e.file], e.old, e.new, 1)
	}
	return files, nil
}

// overlay writes the broken files into dir, and beside them the file that has
// the go command build them instead of the module's own: everything else comes
// from its cache.
func (b *breakage) overlay(dir string) (string, error) {
	files, err := b.broken(".")
	if err != nil {
		return "", err
	}
	var replace struct{ Replace map[string]string }
	replace.Replace = make(map[string]string)
	for file, content := range files {
		to := filepath.Join(dir, strings.ReplaceAll(file, "/", "-"))
		if err := os.WriteFile(to, []byte(content), 0o600); err != nil {
			return "", fmt.Errorf("break %s: %w", file, err)
		}
		replace.Replace[file] = to
	}
	list, err := json.Marshal(replace)
	if err != nil {
		return "", fmt.Errorf("encode the overlay: %w", err)
	}
	path := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, list, 0o600); err != nil {
		return "", fmt.Errorf("write the overlay: %w", err)
	}
	return path, nil
}
