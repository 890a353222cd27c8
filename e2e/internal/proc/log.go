package proc

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"
)

// ringLines bounds how many lines of a process are kept in memory; the file
// has them all.
const ringLines = 400

// lineLog takes what a process writes: every byte goes to the file, the last
// lines stay at hand, and each whole line is offered to the waiting.
type lineLog struct {
	mu      sync.Mutex
	file    *os.File
	partial []byte
	lines   []string
	seen    int // lines ever completed
	changed chan struct{}
}

func newLineLog(path string) (*lineLog, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	return &lineLog{file: file, changed: make(chan struct{})}, nil
}

// Write implements io.Writer. It never fails the process for the sake of a log.
func (l *lineLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = l.file.Write(p) // a full disk must not stop the process under test
	l.partial = append(l.partial, p...)
	for {
		i := bytes.IndexByte(l.partial, '\n')
		if i < 0 {
			return len(p), nil
		}
		l.add(string(l.partial[:i]))
		l.partial = l.partial[i+1:]
	}
}

func (l *lineLog) add(line string) {
	l.seen++
	l.lines = append(l.lines, line)
	if len(l.lines) > ringLines {
		l.lines = l.lines[len(l.lines)-ringLines:]
	}
	close(l.changed)
	l.changed = make(chan struct{})
}

// find returns the first line kept that match accepts, and a channel closed at
// the next line.
func (l *lineLog) find(match func(string) bool) (string, bool, <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.lines {
		if match(line) {
			return line, true, l.changed
		}
	}
	return "", false, l.changed
}

func (l *lineLog) tail(n int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := l.lines
	if len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	return strings.Join(lines, "\n")
}

func (l *lineLog) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.file.Close()
}
