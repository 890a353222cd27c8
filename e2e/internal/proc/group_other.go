//go:build !linux

package proc

import "syscall"

// group puts the process in a group of its own, so that a Ctrl-C on the
// terminal reaches the harness only.
func group() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
