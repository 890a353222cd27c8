// Package foreign starts servers nobody here wrote, kinesis-local and dynalite
// from npm, so that the binaries can be tried against another reading of the
// AWS protocols.
package foreign

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/awslocal"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/proc"
)

// ErrUnavailable means that this machine cannot have the servers: no node, no
// npm, or no way to its registry.
var ErrUnavailable = errors.New("needs node, and npm with a registry to install from")

func packages() []string { return []string{"dynalite@4.0.0", "kinesis-local@0.6.2"} }

const (
	installTimeout = 2 * time.Minute
	startTimeout   = 30 * time.Second
)

// Servers are the running servers.
type Servers struct {
	*awslocal.Server
	processes []*proc.Process
}

// Stop ends both.
func (s *Servers) Stop() {
	for _, p := range s.processes {
		p.Kill()
	}
}

// Start installs the packages into dir, unless they are there, and starts both
// servers on free ports. What they write goes to logDir.
func Start(ctx context.Context, dir, logDir string) (*Servers, error) {
	if err := install(ctx, dir); err != nil {
		return nil, err
	}
	modules := filepath.Join(dir, "node_modules")
	ports, err := freePorts(ctx, 3)
	if err != nil {
		return nil, err
	}
	s := &Servers{}
	starts := []proc.Spec{
		{Name: "dynalite", Args: []string{
			filepath.Join(modules, "dynalite", "cli.js"), "--port", ports[0], "--createTableMs", "0", "--host", "127.0.0.1",
		}},
		{Name: "kinesis-local", Args: []string{filepath.Join(modules, "kinesis-local", "main.js")}, Env: []string{
			"KINESIS_MOCK_CERT_PATH=" + filepath.Join(modules, "kinesis-local", "server.json"),
			"KINESIS_MOCK_PLAIN_PORT=" + ports[1], "KINESIS_MOCK_TLS_PORT=" + ports[2], "LOG_LEVEL=ERROR",
		}},
	}
	for _, spec := range starts {
		spec.Path, spec.LogDir = "node", logDir
		p, err := proc.Start(spec)
		if err != nil {
			s.Stop()
			return nil, err
		}
		s.processes = append(s.processes, p)
	}
	for _, port := range ports[:2] {
		if err := answers(ctx, port); err != nil {
			s.Stop()
			return nil, err
		}
	}
	s.Server = awslocal.Connect("http://127.0.0.1:"+ports[1], "http://127.0.0.1:"+ports[0])
	return s, nil
}

// install runs npm once for a folder.
func install(ctx context.Context, dir string) error {
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%w: no %s", ErrUnavailable, tool)
		}
	}
	done := filepath.Join(dir, "node_modules", ".installed-"+strings.NewReplacer("@", "-", " ", "-").Replace(strings.Join(packages(), " ")))
	if _, err := os.Stat(done); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("make folder for npm packages: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, installTimeout)
	defer cancel()
	args := append([]string{"install", "--no-audit", "--no-fund", "--prefix", dir}, packages()...)
	if out, err := exec.CommandContext(ctx, "npm", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: npm install: %w\n%s", ErrUnavailable, err, out)
	}
	return os.WriteFile(done, nil, 0o600)
}

// freePorts finds ports nobody listens on at the moment.
func freePorts(ctx context.Context, n int) ([]string, error) {
	var out []string
	ports := proc.NewPorts()
	for range n {
		address, err := ports.Address(ctx)
		if err != nil {
			return nil, err
		}
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		out = append(out, port)
	}
	return out, nil
}

// answers waits until a port accepts connections.
func answers(ctx context.Context, port string) error {
	return cluster.Until(ctx, startTimeout, "port "+port+" answers", func() bool {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", "127.0.0.1:"+port)
		if err != nil {
			return false
		}
		_ = conn.Close()
		return true
	})
}
