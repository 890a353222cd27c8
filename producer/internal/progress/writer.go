package progress

import (
	"io"
	"sync"
)

// Control sequences, written to terminals only.
const (
	home       = "\r"
	clearToEnd = "\x1b[K"
)

// Terminal is a writer on a terminal with a line at the bottom that rewrites
// itself: what is written goes above it. Safe for concurrent use.
type Terminal struct {
	mu   sync.Mutex
	out  io.Writer
	line string
}

// NewTerminal returns a Terminal on out, which must understand ANSI sequences.
func NewTerminal(out io.Writer) *Terminal { return &Terminal{out: out} }

// Write writes whole lines above the bottom line.
func (t *Terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.line == "" {
		return t.out.Write(p)
	}
	text := append([]byte(home+clearToEnd), p...)
	text = append(text, t.line...)
	if _, err := t.out.Write(text); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Show replaces the bottom line.
func (t *Terminal) Show(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.line = line
	_, _ = io.WriteString(t.out, home+line+clearToEnd) // progress is not worth an error
}

// Done leaves the bottom line where it is and ends it.
func (t *Terminal) Done() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.line != "" {
		_, _ = io.WriteString(t.out, "\n")
	}
	t.line = ""
}
