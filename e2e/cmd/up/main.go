// Command up runs three tasks on localaws until Ctrl-C, with a producer of
// PRODUCER_RATE messages a second, and says where to look.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/build"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/view"
)

const (
	defaultRate = 50
	tasks       = 3
	showEvery   = time.Second
	stopTimeout = 15 * time.Second
)

func main() { os.Exit(run()) }

func run() int {
	rate, err := producerRate(os.Getenv("PRODUCER_RATE"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := up(ctx, rate); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func producerRate(text string) (int, error) {
	if text == "" {
		return defaultRate, nil
	}
	rate, err := strconv.Atoi(text)
	if err != nil || rate < 0 {
		return 0, errors.New("PRODUCER_RATE: want a whole number of messages a second, 0 for as fast as accepted")
	}
	return rate, nil
}

func up(ctx context.Context, rate int) error {
	fmt.Println("compiling ...")
	binaries, err := build.All(ctx, build.Options{})
	if err != nil {
		return err
	}
	started := time.Now()
	c, err := cluster.New(ctx, cluster.Options{Binaries: binaries, Listen: os.Getenv("LOCALAWS_LISTEN")})
	if c != nil {
		defer c.Close()
	}
	if err != nil {
		return err
	}
	if _, err := c.AddTasks(ctx, tasks); err != nil {
		return err
	}
	if _, err := c.StartProducer(0, rate); err != nil {
		return err
	}
	places(c, rate, time.Since(started))
	show(ctx, c, started)
	return shutdown(c)
}

// places says where everything is to be found.
func places(c *cluster.Cluster, rate int, took time.Duration) {
	fmt.Printf("up in %.1f s; Ctrl-C ends it\n\n", took.Seconds())
	fmt.Printf("  AWS endpoint   %s  (stream test; tables messages, leases, workers)\n", c.AWS.URL)
	for _, t := range c.Tasks() {
		leasekeeper, consumer := t.URLs()
		fmt.Printf("  %-14s %s  (leasekeeper: status page, /metrics)\n", t.Name, leasekeeper)
		fmt.Printf("  %-14s %s  (consumer: /healthz, /metrics)\n", "", consumer)
	}
	fmt.Printf("  producer       %d messages a second\n  logs           %s\n\n", rate, c.LogDir)
}

func show(ctx context.Context, c *cluster.Cluster, started time.Time) {
	screen := view.New(os.Stdout)
	ticker := time.NewTicker(showEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			screen.Show(c.Observe(ctx, started, 0))
		case <-ctx.Done():
			return
		}
	}
}

// shutdown lets the tasks hand over and leave, as a deployment would.
func shutdown(c *cluster.Cluster) error {
	fmt.Println("\nstopping ...")
	tasks := c.Tasks()
	errs := make(chan error, len(tasks))
	for _, t := range tasks {
		go func() { errs <- t.Stop(stopTimeout) }()
	}
	all := make([]error, 0, len(tasks))
	for range tasks {
		all = append(all, <-errs)
	}
	return errors.Join(all...)
}
