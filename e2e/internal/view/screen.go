package view

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

const (
	eventLines = 8               // events kept on a terminal
	plainEvery = 2 * time.Second // between two progress lines off a terminal
)

// Screen writes states and events. Its methods may be called from any goroutine.
type Screen struct {
	mu       sync.Mutex
	out      io.Writer
	terminal bool
	started  time.Time
	drawn    int // lines on the terminal now
	events   []string
	plain    time.Duration // elapsed time of the last plain line
}

// New makes a screen on a file; it redraws only if that is a terminal that can.
func New(out *os.File) *Screen {
	dumb := os.Getenv("TERM") == "dumb" || os.Getenv("TERM") == ""
	return NewOn(out, term.IsTerminal(int(out.Fd())) && !dumb)
}

// NewOn makes a screen on any writer.
func NewOn(out io.Writer, terminal bool) *Screen {
	return &Screen{out: out, terminal: terminal, started: time.Now()}
}

// Event says that something happened.
func (s *Screen) Event(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := fmt.Sprintf("%5.1f s  ", time.Since(s.started).Seconds()) + fmt.Sprintf(format, args...)
	if !s.terminal {
		_, _ = fmt.Fprintln(s.out, line)
		return
	}
	s.events = append(s.events, line)
	if len(s.events) > eventLines {
		s.events = s.events[len(s.events)-eventLines:]
	}
}

// Show shows a state: now on a terminal, now and then elsewhere.
func (s *Screen) Show(state State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.terminal {
		s.draw(state.Lines(s.events))
		return
	}
	if s.plain == 0 || state.Elapsed-s.plain >= plainEvery {
		s.plain = state.Elapsed
		_, _ = fmt.Fprintln(s.out, state.Summary())
	}
}

// draw goes up to the first line drawn before and writes over everything.
func (s *Screen) draw(lines []string) {
	var b strings.Builder
	if s.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\r", s.drawn)
	}
	for _, line := range lines {
		b.WriteString(line + "\x1b[K\n")
	}
	b.WriteString("\x1b[J")
	s.drawn = len(lines)
	_, _ = io.WriteString(s.out, b.String())
}
