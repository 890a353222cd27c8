package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/awslocal"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/proc"
)

// serveTimeout bounds the wait for a process to listen; generous, for machines
// with more to do.
const serveTimeout = 20 * time.Second

// Task is what one ECS task is: a leasekeeper and a consumer that live together.
// Restarting one of the two starts it at the same address, as a container would be.
type Task struct {
	Name    string
	cluster *Cluster

	mu           sync.Mutex
	leasekeeper  *proc.Process
	consumer     *proc.Process
	keeperAddr   string
	consumerAddr string
}

func (t *Task) start(ctx context.Context) error {
	if err := t.StartLeasekeeper(ctx); err != nil {
		return err
	}
	return t.StartConsumer(ctx)
}

// StartLeasekeeper starts the leasekeeper, again if there was one before.
func (t *Task) StartLeasekeeper(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.place(ctx, &t.keeperAddr); err != nil {
		return err
	}
	env := append(t.cluster.AWS.Env(t.Name+"-leasekeeper"), "LEASEKEEPER_STREAM="+awslocal.Stream, "LEASEKEEPER_LISTEN="+t.keeperAddr)
	if lease := t.cluster.options.Lease; lease > 0 {
		env = append(env, "LEASEKEEPER_LEASE_DURATION="+lease.String())
	}
	p, err := t.launch(ctx, "leasekeeper", t.cluster.options.Binaries.Leasekeeper, append(env, t.extra("LEASEKEEPER_")...))
	if p != nil {
		t.leasekeeper = p
	}
	return err
}

// StartConsumer starts the consumer, again if there was one before. It reads
// Kinesis through the tap.
func (t *Task) StartConsumer(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.place(ctx, &t.consumerAddr); err != nil {
		return err
	}
	env := append(t.cluster.AWS.Env(t.Name+"-consumer"), "AWS_ENDPOINT_URL_KINESIS="+t.cluster.Tap.URL,
		"CONSUMER_LEASEKEEPER_URL=http://"+t.keeperAddr, "CONSUMER_LISTEN="+t.consumerAddr)
	p, err := t.launch(ctx, "consumer", t.cluster.options.Binaries.Consumer, append(env, t.extra("CONSUMER_")...))
	if p != nil {
		t.consumer = p
	}
	return err
}

// place gives a process its address before its first start.
func (t *Task) place(ctx context.Context, address *string) (err error) {
	if *address == "" {
		*address, err = t.cluster.ports.Address(ctx)
	}
	return err
}

// extra picks the further settings of one binary; a binary refuses a variable
// of its own prefix that it does not know.
func (t *Task) extra(prefix string) []string {
	var out []string
	for _, kv := range t.cluster.options.Env {
		if len(kv) > len(prefix) && kv[:len(prefix)] == prefix {
			out = append(out, kv)
		}
	}
	return out
}

func (t *Task) launch(ctx context.Context, role, path string, env []string) (*proc.Process, error) {
	name := fmt.Sprintf("%s-%s", t.Name, role)
	p, err := proc.Start(proc.Spec{Name: name, Path: path, Env: env, LogDir: t.cluster.LogDir})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, serveTimeout)
	defer cancel()
	_, err = p.WaitListening(ctx)
	return p, err
}

// Leasekeeper returns the process of this moment, nil before the first.
func (t *Task) Leasekeeper() *proc.Process {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.leasekeeper
}

// Consumer returns the process of this moment, nil before the first.
func (t *Task) Consumer() *proc.Process {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.consumer
}

// URLs returns where leasekeeper and consumer serve.
func (t *Task) URLs() (leasekeeper, consumer string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return "http://" + t.keeperAddr, "http://" + t.consumerAddr
}

// Running tells whether both processes run.
func (t *Task) Running() bool {
	keeper, consumer := t.Leasekeeper(), t.Consumer()
	return keeper != nil && consumer != nil && keeper.Running() && consumer.Running()
}

func (t *Task) both() []*proc.Process {
	var out []*proc.Process
	for _, p := range []*proc.Process{t.Consumer(), t.Leasekeeper()} {
		if p != nil {
			out = append(out, p)
		}
	}
	return out
}

// Signal sends a signal to both processes, one right after the other.
func (t *Task) Signal(sig syscall.Signal) {
	for _, p := range t.both() {
		_ = p.Signal(sig) // one that has exited already needs none
	}
}

// Kill ends both processes at once, as the loss of the host would, and waits
// until they are gone.
func (t *Task) Kill() {
	t.Signal(syscall.SIGKILL)
	for _, p := range t.both() {
		p.Kill()
	}
}

// Stop asks both to end as ECS does when neither container depends on the
// other: SIGTERM to both, and SIGKILL to what is left after the timeout. It
// returns an error for a process that had to be killed or did not exit with 0.
func (t *Task) Stop(timeout time.Duration) error {
	t.Signal(syscall.SIGTERM)
	return t.gone(timeout)
}

// StopInOrder stops the consumer, waits for it, then stops the leasekeeper: what
// ECS does when the consumer depends on the leasekeeper.
func (t *Task) StopInOrder(timeout time.Duration) error {
	if err := t.Consumer().Stop(timeout); err != nil {
		return err
	}
	_ = t.Leasekeeper().Signal(syscall.SIGTERM)
	return t.gone(timeout)
}

func (t *Task) gone(timeout time.Duration) error {
	var errs []error
	for _, p := range t.both() {
		if err := p.Wait(timeout); err != nil {
			p.Kill()
			errs = append(errs, err)
			continue
		}
		if code := p.ExitCode(); code != 0 {
			errs = append(errs, fmt.Errorf("%s exited with %d\n%s", p.Name(), code, p.Tail(10)))
		}
	}
	return errors.Join(errs...)
}
