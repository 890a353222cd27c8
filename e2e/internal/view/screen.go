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

// minRows is the least height that is redrawn: the table of three shards with
// the events, and the line of the cursor.
const minRows = 19

// Screen writes states and events. Its methods may be called from any goroutine.
type Screen struct {
	mu      sync.Mutex
	out     io.Writer
	rows    int // of the terminal; 0: plain lines
	started time.Time
	drawn   int // lines on the terminal now
	events  []string
	plain   time.Duration // elapsed time of the last plain line
}

// New makes a screen on a file; it redraws only if that is a terminal that can.
func New(out *os.File) *Screen {
	columns, rows, err := term.GetSize(int(out.Fd()))
	if name := os.Getenv("TERM"); err != nil || name == "dumb" || name == "" {
		rows = 0
	}
	return NewOn(out, columns, rows)
}

// NewOn makes a screen on any writer, taken for a terminal of that size. On one
// that is too small to redraw, or none, which is 0, it writes plain lines.
func NewOn(out io.Writer, columns, rows int) *Screen {
	if columns < Width || rows < minRows {
		rows = 0
	}
	return &Screen{out: out, rows: rows, started: time.Now()}
}

// Event says that something happened.
func (s *Screen) Event(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := fmt.Sprintf("%5.1f s  ", time.Since(s.started).Seconds()) + fmt.Sprintf(format, args...)
	if s.rows == 0 {
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
	if s.rows > 0 {
		s.draw(s.fitting(state))
		return
	}
	if s.plain == 0 || state.Elapsed-s.plain >= plainEvery {
		s.plain = state.Elapsed
		_, _ = fmt.Fprintln(s.out, state.Summary())
	}
}

// fitting draws the state so that nothing scrolls away: of many shards, older
// events are left out first.
func (s *Screen) fitting(state State) []string {
	most := s.rows - 1 // the cursor's
	room := most - len(state.Lines(nil))
	lines := state.Lines(s.events[max(0, len(s.events)-max(0, room)):])
	return lines[:min(len(lines), most)]
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
