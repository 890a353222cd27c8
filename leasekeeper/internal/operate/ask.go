package operate

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/retry"
)

// look reads the worker table until that succeeds.
func (o *Operator) look(ctx context.Context) (fleet, error) {
	a, err := o.read(ctx, lease.ScanWorkers{})
	if err != nil {
		return fleet{}, err
	}
	f := fleet{stream: a.Stream}
	for _, w := range a.Workers {
		if w.State != lease.Evicted {
			f.workers = append(f.workers, w)
		}
	}
	sort.Slice(f.workers, func(i, j int) bool { return f.workers[i].ID < f.workers[j].ID })
	return f, nil
}

func (o *Operator) read(ctx context.Context, op lease.Op) (lease.Answer, error) {
	return retry.Read(ctx, o.Execute, o.Open, op)
}

// ask writes what change wants asked, unless it is asked already, and returns
// the version in which it stands. What became of a write without an answer is
// looked up, never guessed.
func (o *Operator) ask(ctx context.Context, change func(fleet) (lease.StreamRequest, error)) (int64, error) {
	for {
		f, err := o.look(ctx)
		if err != nil {
			return 0, err
		}
		if f.stream == nil {
			return 0, ErrNeverUsed
		}
		want, err := change(f)
		if err != nil {
			return 0, err
		}
		if want.Paused == f.stream.Paused && slices.Equal(want.Released, f.stream.Released) && want.Rewind == f.stream.Rewind {
			return f.stream.Requests, nil
		}
		want.Seen = f.stream.Requests
		want.Released = slices.DeleteFunc(slices.Clone(want.Released), func(id string) bool { return !f.has(id) }) // of lives that are over
		if a := o.Execute(ctx, lease.StreamWrite{Request: &want}); a.Outcome == lease.Failed && !o.Open(a.Err) {
			return 0, a.Err
		} else if a.Outcome != lease.Applied && o.pause(ctx) != nil {
			return 0, fmt.Errorf("ask: %w", ctx.Err())
		}
	}
}

func (f fleet) has(id string) bool {
	return slices.ContainsFunc(f.workers, func(w *lease.Worker) bool { return w.ID == id })
}

// await shows how many workers are done with a request until all are. A worker
// that is dead counts until its peers have declared it so.
func (o *Operator) await(ctx context.Context, request int64, what string, done func(*lease.Worker) bool) error {
	o.waiting(request)
	last := ""
	for {
		f, err := o.look(ctx)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrNotYet, err)
		}
		var missing []string
		for _, w := range f.workers {
			if !done(w) {
				missing = append(missing, w.ID)
			}
		}
		line := fmt.Sprintf("%d of %d workers %s", len(f.workers)-len(missing), len(f.workers), what)
		if line != last {
			o.printf("%s\n", line)
			last = line
		}
		if len(missing) == 0 {
			return nil
		}
		if o.pause(ctx) != nil {
			return fmt.Errorf("%w; not yet: %s", ErrNotYet, strings.Join(missing, ", "))
		}
	}
}

func (o *Operator) waiting(request int64) {
	o.printf("asked for (request %d); waiting until it has taken effect\n", request)
}

func (o *Operator) pause(ctx context.Context) error {
	timer := time.NewTimer(o.Every)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return fmt.Errorf("wait: %w", ctx.Err())
	case <-timer.C:
		return nil
	}
}

// printf tells people what happens; who does not read it misses nothing.
func (o *Operator) printf(format string, args ...any) { _, _ = fmt.Fprintf(o.Out, format, args...) }
