// Freeport helps run.sh: without arguments it prints a TCP port of 127.0.0.1 that
// nobody uses; with a port and seconds it waits until something listens there.
package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "freeport:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 2 {
		return wait(args[0], args[1])
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("find a port: %w", err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return fmt.Errorf("find a port: %w", err)
	}
	fmt.Println(port)
	return l.Close()
}

func wait(port, seconds string) error {
	n, err := strconv.Atoi(seconds)
	if err != nil {
		return errors.New("want a port and seconds")
	}
	deadline := time.Now().Add(time.Duration(n) * time.Second)
	for time.Now().Before(deadline) {
		conn, err := net.DialTimeout("tcp", "127.0.0.1:"+port, time.Second) //nolint:gosec // run.sh names the port
		if err == nil {
			return conn.Close()
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("nothing listens on port %s after %s s", port, seconds)
}
