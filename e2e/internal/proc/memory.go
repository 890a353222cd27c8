package proc

import (
	"fmt"
	"os"
	"strings"
)

// PeakRSS returns the most memory, in bytes, that the process had resident so
// far. It must run: what getrusage tells after its end is, on Linux, at least
// what its parent had resident when it started it. 0 where there is no /proc.
func (p *Process) PeakRSS() int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "\nVmHWM:")
	var kB int64
	_, _ = fmt.Sscan(rest, &kB) // not there: 0
	return kB << 10
}
