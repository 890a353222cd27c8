// Package operate asks the fleet to do something: it writes a request into the
// `#stream` row, which every worker reads each heartbeat, and waits until the
// workers' rows say that it is carried out.
//
// It never writes a lease or the row of a worker: nobody but its owner does
// (docs/DESIGN.md, A12). A request that was written stands, whatever becomes of
// whoever wrote it; asking for it again only waits.
package operate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// Executor makes one attempt at an operation on the tables.
type Executor func(context.Context, lease.Op) lease.Answer

// Operator asks, and tells its progress. Every method gives up with ctx.
type Operator struct {
	Execute Executor
	Open    func(error) bool // whether asking again may help
	Out     io.Writer
	Every   time.Duration // between two looks
}

// Errors that say what is to be done.
var (
	ErrNeverUsed = errors.New("the worker table has no #stream row: no leasekeeper has used it yet")
	ErrNotYet    = errors.New("the request stands, but has not taken effect everywhere: run this again, or see leasekeeper workers (older versions take no requests)")
	ErrPaused    = errors.New("the fleet is paused, and no lease moves: resume it first")
	ErrNobody    = errors.New("no other worker is ready to take its leases: it keeps them until one is; nothing was asked")
)

// fleet is one look at the worker table.
type fleet struct {
	stream  *lease.Stream
	workers []*lease.Worker // that are not EVICTED, by id
}

// same is what is asked already.
func (f fleet) same() lease.StreamRequest {
	return lease.StreamRequest{Seen: f.stream.Requests, Paused: f.stream.Paused, Released: f.stream.Released, Rewind: f.stream.Rewind}
}

// Pause has every worker keep its leases and read nothing.
func (o *Operator) Pause(ctx context.Context) error {
	version, err := o.ask(ctx, func(f fleet) (lease.StreamRequest, error) {
		request := f.same()
		request.Paused = true
		return request, nil
	})
	if err != nil {
		return err
	}
	return o.await(ctx, version, "stand still", carriedOut(version))
}

// Resume has the fleet read again. A rewind that was asked for while it was paused
// is waited for, and taken back when it is done.
func (o *Operator) Resume(ctx context.Context) error {
	version, err := o.ask(ctx, func(f fleet) (lease.StreamRequest, error) {
		request := f.same()
		request.Paused = false
		return request, nil
	})
	if err != nil {
		return err
	}
	if err := o.await(ctx, version, "serve their leases", carriedOut(version)); err != nil {
		return err
	}
	return o.endRewind(ctx)
}

// Release has the worker hand over everything and take nothing until it is
// taken back or ends. name is its id, or the beginning of it.
func (o *Operator) Release(ctx context.Context, name string) error {
	var id string
	version, err := o.ask(ctx, func(f fleet) (lease.StreamRequest, error) {
		worker, err := f.find(name)
		if err != nil {
			return lease.StreamRequest{}, err
		}
		id = worker.ID
		if f.stream.Paused {
			return lease.StreamRequest{}, ErrPaused
		}
		others := func(w *lease.Worker) bool {
			return w.ID != id && w.Takes() && !slices.Contains(f.stream.Released, w.ID)
		}
		if !slices.ContainsFunc(f.workers, others) {
			return lease.StreamRequest{}, ErrNobody
		}
		request := f.same()
		request.Released = with(f.stream.Released, id)
		return request, nil
	})
	if err != nil {
		return err
	}
	return o.await(ctx, version, "have handed over everything", func(w *lease.Worker) bool {
		return w.ID != id || w.State == lease.Draining && w.HeldErr == nil && len(w.Held) == 0
	})
}

// TakeBack ends the release of a worker.
func (o *Operator) TakeBack(ctx context.Context, name string) error {
	version, err := o.ask(ctx, func(f fleet) (lease.StreamRequest, error) {
		worker, err := f.find(name)
		if err != nil {
			return lease.StreamRequest{}, err
		}
		request := f.same()
		request.Released = slices.DeleteFunc(slices.Clone(f.stream.Released), func(id string) bool { return id == worker.ID })
		return request, nil
	})
	if err != nil {
		return err
	}
	return o.await(ctx, version, "know of it", carriedOut(version))
}

func carriedOut(version int64) func(*lease.Worker) bool {
	return func(w *lease.Worker) bool { return w.Requests >= version }
}

func with(ids []string, id string) []string {
	if !slices.Contains(ids, id) {
		ids = append(slices.Clone(ids), id)
		slices.Sort(ids)
	}
	return ids
}

// find returns the one worker whose id begins with name.
func (f fleet) find(name string) (*lease.Worker, error) {
	var ids []string
	var found *lease.Worker
	for _, w := range f.workers {
		if w.ID == name {
			return w, nil
		}
		ids = append(ids, w.ID)
		if strings.HasPrefix(w.ID, name) && name != "" {
			if found != nil {
				return nil, fmt.Errorf("%q is the beginning of %s and of %s: which?", name, found.ID, w.ID)
			}
			found = w
		}
	}
	if found == nil {
		return nil, fmt.Errorf("no worker %q: there are %s", name, strings.Join(ids, ", "))
	}
	return found, nil
}
