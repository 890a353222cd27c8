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
	if err := up(ctx, rate); err != nil {
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

// up runs everything until ctx ends, also when that is before all is up.
func up(ctx context.Context, rate int) error {
	c, err := start(ctx, rate)
	if err == nil {
		show(ctx, c)
		err = shutdown(c)
	} else if ctx.Err() != nil {
		err = nil
	}
	return closeAll(c, err)
}

// start compiles and starts everything and says where it is. What has been
// started comes back with an error, too.
func start(ctx context.Context, rate int) (*cluster.Cluster, error) {
	fmt.Println("compiling ...")
	binaries, err := build.All(ctx, build.Options{})
	if err != nil {
		return nil, err
	}
	started := time.Now()
	c, err := cluster.New(ctx, cluster.Options{Binaries: binaries, Listen: os.Getenv("LOCALAWS_LISTEN")})
	if err != nil {
		return c, err
	}
	if _, err := c.AddTasks(ctx, tasks); err != nil {
		return c, err
	}
	if _, err := c.StartProducer(0, rate); err != nil {
		return c, err
	}
	p := places{took: time.Since(started), server: c.AWS, rate: rate, logs: c.LogDir}
	for _, t := range c.Tasks() {
		leasekeeper, consumer := t.URLs()
		p.tasks = append(p.tasks, task{t.Name, leasekeeper, consumer})
	}
	fmt.Println(p)
	return c, nil
}

// closeAll ends what still runs. The logs stay where something went wrong.
func closeAll(c *cluster.Cluster, err error) error {
	if c == nil {
		return err
	}
	c.Close()
	if err != nil {
		return fmt.Errorf("%w\nlogs in %s", err, c.LogDir)
	}
	c.RemoveLogs()
	return nil
}

func show(ctx context.Context, c *cluster.Cluster) {
	started := time.Now()
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
