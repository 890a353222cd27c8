package measure

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/awslocal"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/cluster"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/proc"
)

// Work is what it took to store a backlog: from the start of a process to its
// end, starting up and signing off included.
type Work struct {
	CPU     time.Duration // user and system, of all processes of a task
	Took    time.Duration // from the start to the last item
	PeakRSS int64         // bytes, of all processes of a task
}

// Fill puts count messages of size bytes on the stream.
func Fill(ctx context.Context, c *cluster.Cluster, count, size int) error {
	p, err := c.StartProducer(count, 0, fmt.Sprintf("PRODUCER_SIZE=%d", size))
	if err != nil {
		return err
	}
	if err := p.Wait(libraryPatience); err != nil {
		return err
	}
	if code := p.ExitCode(); code != 0 {
		return fmt.Errorf("fill the stream: producer exited with %d\n%s", code, p.Tail(10))
	}
	return ctx.Err()
}

// Drain starts something that reads, waits until it has stored count messages,
// and stops it.
func Drain(ctx context.Context, c *cluster.Cluster, count int64, start func() ([]*proc.Process, error)) (Work, error) {
	began := time.Now()
	processes, err := start()
	if err != nil {
		return Work{}, err
	}
	var asked error
	err = cluster.Until(ctx, libraryPatience, fmt.Sprintf("%d messages are stored", count), func() bool {
		counters, err := c.AWS.Admin.Counters(ctx)
		asked = err
		table := counters.Tables[awslocal.MessagesTable]
		return err != nil || table.Puts-table.Overwrites >= count
	})
	if err != nil || asked != nil {
		return Work{}, fmt.Errorf("drain a backlog: %w", errors.Join(err, asked))
	}
	w := Work{Took: time.Since(began)}
	for _, p := range processes {
		w.PeakRSS += p.PeakRSS()
		if err := p.Stop(2 * settle); err != nil {
			return w, err
		}
		w.CPU += p.CPU()
	}
	return w, nil
}
