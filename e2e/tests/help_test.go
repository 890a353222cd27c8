package e2e_test

import (
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestHelp_Width: what a binary says of itself fits a terminal of 80 columns,
// where a tab leads to the next column of eight.
func TestHelp_Width(t *testing.T) {
	t.Parallel()
	b := binaries(t)
	for _, command := range [][]string{
		{b.Producer, "--help"}, {b.Consumer, "--help"}, {b.Leasekeeper, "--help"}, {b.LocalAWS, "--help"},
		{b.Consumer, "redrive", "-h"}, {b.Consumer, "replay", "-h"}, {b.Leasekeeper, "rewind", "-h"},
	} {
		out, _ := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput() // the exit code is another test's
		if len(out) == 0 {
			t.Errorf("%v: got no help", command)
		}
		for line := range strings.Lines(string(out)) {
			line = strings.ReplaceAll(strings.TrimRight(line, "\n"), "    \t", "        ")
			if got := utf8.RuneCountInString(line); got > 80 {
				t.Errorf("%v: got a line of %d columns: %s", command, got, line)
			}
		}
	}
}
