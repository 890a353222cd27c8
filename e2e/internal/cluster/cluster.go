// Package cluster puts a whole system together on one machine: localaws, the
// stream and the tables, a tap in front of Kinesis, and tasks made of a real
// leasekeeper and a real consumer process each.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/awslocal"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/build"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/proc"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/tap"
)

// Options describe a cluster.
type Options struct {
	Binaries build.Binaries
	LogDir   string        // a new temporary folder if empty
	Shards   int32         // 3 if 0
	Lease    time.Duration // LEASEKEEPER_LEASE_DURATION; the default of the binary if 0
	Listen   string        // of localaws; a free port if empty
	NoLimits bool          // leaves out the service's limits per shard, which else hold
	Env      []string      // further settings of every leasekeeper and consumer

	// Server is used instead of a localaws of its own: another server that
	// speaks the protocols. It has no counters and no faults.
	Server *awslocal.Server
}

// Cluster is a running system. Its methods may be called from any goroutine.
type Cluster struct {
	AWS    *awslocal.Server
	Tap    *tap.Tap
	LogDir string

	options   Options
	ports     *proc.Ports
	mu        sync.Mutex
	tasks     []*Task
	producers []*proc.Process
}

// New starts localaws and creates the stream and the tables. Close must be
// called, after an error too if a cluster came back with it.
func New(ctx context.Context, o Options) (*Cluster, error) {
	if o.Shards == 0 {
		o.Shards = 3
	}
	if o.LogDir == "" {
		dir, err := os.MkdirTemp("", "kinesis-e2e-")
		if err != nil {
			return nil, fmt.Errorf("make log folder: %w", err)
		}
		o.LogDir = dir
	}
	if err := os.MkdirAll(o.LogDir, 0o750); err != nil {
		return nil, fmt.Errorf("make log folder: %w", err)
	}
	c := &Cluster{LogDir: o.LogDir, options: o, ports: proc.NewPorts()}
	server, err := o.Server, error(nil)
	if server == nil {
		server, err = awslocal.Start(ctx, o.Binaries.LocalAWS, o.LogDir, o.Listen)
	}
	if err != nil {
		return c, err
	}
	c.AWS = server
	if c.Tap, err = tap.Start(ctx, server.URL); err != nil {
		return c, err
	}
	if server.Admin != nil && !o.NoLimits {
		if err := server.Admin.EnforceLimits(ctx); err != nil {
			return c, err
		}
	}
	return c, server.CreateAll(ctx, o.Shards)
}

// AddTask starts a new task and returns as soon as both processes serve.
func (c *Cluster) AddTask(ctx context.Context) (*Task, error) {
	c.mu.Lock()
	t := &Task{Name: fmt.Sprintf("task%d", len(c.tasks)+1), cluster: c}
	c.tasks = append(c.tasks, t)
	c.mu.Unlock()
	return t, t.start(ctx)
}

// AddTasks starts n tasks side by side.
func (c *Cluster) AddTasks(ctx context.Context, n int) ([]*Task, error) {
	tasks, errs := make([]*Task, n), make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { tasks[i], errs[i] = c.AddTask(ctx) })
	}
	wg.Wait()
	return tasks, errors.Join(errs...)
}

// Tasks returns every task there has been, in order.
func (c *Cluster) Tasks() []*Task {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*Task(nil), c.tasks...)
}

// StartProducer starts a producer of count messages (0: until stopped) at rate
// messages a second (0: as fast as accepted), with further settings.
func (c *Cluster) StartProducer(count, rate int, extra ...string) (*proc.Process, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	name := fmt.Sprintf("producer%d", len(c.producers)+1)
	env := append(c.AWS.Env(name), "PRODUCER_STREAM="+awslocal.Stream,
		fmt.Sprintf("PRODUCER_COUNT=%d", count), fmt.Sprintf("PRODUCER_RATE=%d", rate))
	p, err := proc.Start(proc.Spec{Name: name, Path: c.options.Binaries.Producer, Env: append(env, extra...), LogDir: c.LogDir})
	if err == nil {
		c.producers = append(c.producers, p)
	}
	return p, err
}

// Close kills everything that runs. The logs stay.
func (c *Cluster) Close() {
	var wg sync.WaitGroup
	for _, t := range c.Tasks() {
		wg.Go(t.Kill)
	}
	c.mu.Lock()
	for _, p := range c.producers {
		wg.Go(p.Kill)
	}
	c.mu.Unlock()
	wg.Wait()
	if c.Tap != nil {
		c.Tap.Stop()
	}
	if c.AWS != nil {
		c.AWS.Stop()
	}
}

// RemoveLogs deletes the log folder: after a run that needs no looking into.
func (c *Cluster) RemoveLogs() {
	_ = os.RemoveAll(filepath.Clean(c.LogDir)) // a leftover in the temporary folder does no harm
}
