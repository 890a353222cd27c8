// Package memory tells Go's garbage collector of the container's memory limit.
package memory

import (
	"io/fs"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
)

// Share of the container's limit that is Go's: the rest is for what the
// collector does not see.
const share = 0.9

// Limit returns the memory limit of the container with root as its root
// directory, by control groups of version 2 or 1, and false if there is none.
func Limit(root fs.FS) (int64, bool) {
	for _, name := range []string{"sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		data, err := fs.ReadFile(root, name)
		if err != nil {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
		if err != nil || n <= 0 || n >= 1<<60 { // "max", or version 1's way to say so
			continue
		}
		return n, true
	}
	return 0, false
}

// Set gives the collector nine tenths of limit, unless GOMEMLIMIT is set. It
// returns what is in force.
func Set(limit int64) int64 {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(int64(float64(limit) * share))
	}
	return debug.SetMemoryLimit(-1)
}
