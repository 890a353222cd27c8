// Package view shows a running cluster to a person: redrawn in place on a
// terminal, as plain lines without control characters anywhere else.
package view

import (
	"fmt"
	"strings"
	"time"
)

// Width is how wide a screen is taken to be; no line is longer.
const Width = 80

// Shard is one line of the table of shards.
type Shard struct {
	Name       string
	Owner      string // a task; empty: nobody
	State      string
	Generation int64
	Lag        time.Duration
	Read       int // records handed to consumers, those read twice included
}

// Task is one task and how it is.
type Task struct {
	Name, Condition string
}

// State is the cluster at one moment.
type State struct {
	Elapsed  time.Duration
	Target   int // messages to be produced; 0: no end
	Produced int
	Read     int
	Stored   int
	Shards   []Shard
	Tasks    []Task
}

// Summary is the state in one line.
func (s State) Summary() string {
	produced := fmt.Sprint(s.Produced)
	if s.Target > 0 {
		produced += fmt.Sprintf("/%d", s.Target)
	}
	return fmt.Sprintf("%5.1f s  produced %s  read %d  stored %d", s.Elapsed.Seconds(), produced, s.Read, s.Stored)
}

// Lines draws the state with the latest events below it.
func (s State) Lines(events []string) []string {
	lines := []string{s.Summary()}
	if s.Target > 0 {
		lines = append(lines, "stored   "+bar(s.Stored, s.Target, Width-10))
	}
	lines = append(lines, "", fmt.Sprintf("%-21s %-7s %-9s %5s %9s %9s", "SHARD", "TASK", "STATE", "GEN", "LAG", "READ"))
	for _, shard := range s.Shards {
		owner := shard.Owner
		if owner == "" {
			owner = "-"
		}
		lines = append(lines, fmt.Sprintf("%-21s %-7s %-9s %5d %9s %9d",
			shard.Name, owner, shard.State, shard.Generation, lag(shard), shard.Read))
	}
	lines = append(lines, "", "tasks    "+tasks(s.Tasks), "")
	for _, event := range events {
		lines = append(lines, "  "+event)
	}
	for i, line := range lines {
		lines[i] = cut(line, Width)
	}
	return lines
}

func lag(s Shard) string {
	if s.Owner == "" {
		return "-"
	}
	return fmt.Sprintf("%d ms", s.Lag.Milliseconds())
}

func tasks(list []Task) string {
	parts := make([]string, 0, len(list))
	for _, t := range list {
		parts = append(parts, t.Name+" "+t.Condition)
	}
	return strings.Join(parts, ", ")
}

// bar is a progress bar of the given width, in characters every font has.
func bar(done, of, width int) string {
	full := min(width, done*width/max(1, of))
	return "[" + strings.Repeat("#", max(0, full-2)) + strings.Repeat(".", width-2-max(0, full-2)) + "]"
}

func cut(line string, width int) string {
	runes := []rune(line)
	if len(runes) <= width {
		return line
	}
	return string(runes[:width-1]) + "~"
}
