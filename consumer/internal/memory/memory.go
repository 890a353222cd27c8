// Package memory tells Go's garbage collector of the container's memory limit.
package memory

import (
	"io/fs"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
)

// share of the container's limit is Go's: the rest is for what the collector
// does not see.
const share = 0.9

// beside is what the process needs beside its messages.
const beside = 96 << 20

// growth is how much the heap may grow between collections, in percent, as
// long as it stays under the limit.
const growth = 400

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

// Set tells the collector how much memory a process with this budget for
// messages should take: twice the budget, as garbage is not collected at once,
// and some more, but no more than its share of the container's limit, if that
// is not 0. Below that it collects seldom. GOMEMLIMIT and GOGC come first where
// they are set. It returns the limit in force.
func Set(container, budget int64) int64 {
	limit := 2*budget + beside
	if container > 0 {
		limit = min(limit, int64(float64(container)*share))
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limit)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(growth)
	}
	return debug.SetMemoryLimit(-1)
}
