// Package verify compares what a stream holds with what was stored, and watches
// the checkpoints in the lease table while a system runs. It reads the stream
// and the tables itself and believes no process.
package verify

import "strings"

// compareSequence compares two sequence numbers as the numbers they are.
func compareSequence(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

func isSequence(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
