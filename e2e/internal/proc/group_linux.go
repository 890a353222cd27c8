package proc

import "syscall"

// group puts the process in a group of its own, so that a Ctrl-C on the
// terminal reaches the harness only, and lets the kernel kill it should the
// harness die without cleaning up.
func group() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
