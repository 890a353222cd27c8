package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

const head = `# Reliability: the measured tables

Taken on real processes by ` + "`e2e/cmd/figures`" + `, judged from outside: at a proxy between
the consumers and Kinesis, and by localaws's counters. Each table stands beside its command.

`

// write puts a section in its place in the document; the others stay as they are.
func write(path, name, text string) error {
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("read figures: %w", err)
	}
	document := head
	for _, section := range all {
		body := between(string(old), section)
		if section == name {
			body = text + "\n" + machine()
		}
		if body != "" {
			document += begin(section) + body + end(section) + "\n"
		}
	}
	document = strings.TrimRight(document, "\n") + "\n"
	if err := os.WriteFile(path, []byte(document), 0o644); err != nil { //nolint:gosec // documentation
		return fmt.Errorf("write figures: %w", err)
	}
	return nil
}

func begin(section string) string { return "<!-- " + section + ":begin -->\n" }

func end(section string) string { return "<!-- " + section + ":end -->\n" }

// between returns what a section of the document says now, or nothing.
func between(document, section string) string {
	_, rest, found := strings.Cut(document, begin(section))
	body, _, ended := strings.Cut(rest, end(section))
	if !found || !ended {
		return ""
	}
	return body
}

// busy says how busy the machine was: what else runs on it is part of the figure.
func busy() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "" // not on Linux
	}
	fields := strings.Fields(string(text))
	return fmt.Sprintf(", load average %s over the last minutes", fields[min(2, len(fields)-1)])
}

// machine says where and when a table was taken.
func machine() string {
	return fmt.Sprintf("Taken %s with %s on %d cores (%s/%s)%s.\n",
		time.Now().UTC().Format(time.DateOnly), runtime.Version(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, busy())
}
