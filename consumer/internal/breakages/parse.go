package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// breakage is one deliberate fault: a few exact replacements, and the tests that
// must fail with them.
type breakage struct {
	list  string // the file it stands in, without folder and ending
	name  string
	what  string   // in words
	pkg   string   // folder of the package whose tests are run
	tests []string // any of which may notice
	edits []edit
}

type edit struct{ file, old, new string }

// load reads every list in folder, in order.
func load(folder string) ([]*breakage, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.txt"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("find lists in %s: run this in the consumer folder (%w)", folder, os.ErrNotExist)
	}
	var all []*breakage
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("read breakages: %w", err)
		}
		some, err := parse(strings.TrimSuffix(filepath.Base(file), ".txt"), string(content))
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// parse reads a list: `key: value` lines, of which `breakage` begins another
// one, and after a `file` line replacements: the old and the new text between
// <<<<, ==== and >>>> lines, which need not be whole lines of the file.
func parse(list, content string) ([]*breakage, error) {
	p := parser{list: list}
	for n, line := range strings.Split(content, "\n") {
		if p.into != nil {
			p.text(line)
		} else if !p.line(line) {
			return nil, fmt.Errorf("%s:%d: %q is not understood", list, n+1, line)
		}
	}
	for _, b := range p.all {
		if p.into != nil || len(b.edits) == 0 || b.what == "" || b.pkg == "" || len(b.tests) == 0 {
			return nil, fmt.Errorf("%s: breakage %s is not complete", list, b.name)
		}
	}
	return p.all, nil
}

type parser struct {
	list    string
	all     []*breakage
	current edit
	into    *string // what is being read of current, if anything
}

// text reads a line of a replacement.
func (p *parser) text(line string) {
	switch line {
	case "====":
		p.into = &p.current.new
	case ">>>>":
		e := &p.current
		e.old, e.new = strings.TrimSuffix(e.old, "\n"), strings.TrimSuffix(e.new, "\n")
		b := p.all[len(p.all)-1]
		b.edits, p.into = append(b.edits, *e), nil
	default:
		*p.into += line + "\n"
	}
}

// line reads any other line, and tells whether it is one.
func (p *parser) line(line string) bool {
	key, value, ok := strings.Cut(line, ": ")
	switch {
	case strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#"):
		return true
	case ok && key == "breakage":
		p.all = append(p.all, &breakage{list: p.list, name: value})
		return true
	case len(p.all) == 0:
		return false
	case line == "<<<<":
		p.current = edit{file: p.current.file}
		p.into = &p.current.old
		return true
	}
	b := p.all[len(p.all)-1]
	switch {
	case key == "what":
		b.what = value
	case key == "tests" && ok:
		words := strings.Fields(value)
		b.pkg, b.tests = words[0], words[1:]
	case key == "file":
		p.current.file = value
	default:
		return false
	}
	return true
}

// broken returns the contents of the files that b changes, by their names in
// the module. Each old text must be there exactly once.
func (b *breakage) broken(module string) (map[string]string, error) {
	files := map[string]string{}
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
