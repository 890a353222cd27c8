package operate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// Errors of a rewind that cannot be done right.
var (
	ErrFuture   = errors.New("that time is yet to come")
	ErrTarget   = errors.New("want TRIM_HORIZON, LATEST, an RFC 3339 time such as 2026-11-23T12:00:00Z, or a sequence number")
	ErrOneShard = errors.New("a sequence number is of one shard: name that one with --shards")
	ErrNothing  = errors.New("finished, and nothing in it is after that")
	ErrTrimmed  = errors.New("its records are past the stream's retention")
	ErrNumber   = errors.New("is not one of its sequence numbers")
	ErrTooMany  = errors.New("too many shards for one request: name up to 5000 with --shards")
	ErrUnderWay = errors.New("another rewind is under way; the fleet is paused, so it cannot be waited for")
)

const (
	maxRewound = 5000
	// slack is how much earlier than the target a shard may have been closed and
	// still be read again: the time of a record is approximate.
	slack = time.Minute
)

// Target is where a rewind leads.
type Target struct {
	to string    // a word of the lease table, or a sequence number
	at time.Time // with lease.AtTimestamp
}

// ParseTarget reads TRIM_HORIZON, LATEST, a time or a sequence number.
func ParseTarget(text string) (Target, error) {
	if text == lease.TrimHorizon || text == lease.Latest {
		return Target{to: text}, nil
	}
	if text != "" && strings.Trim(text, "0123456789") == "" {
		return Target{to: strings.TrimLeft(text[:len(text)-1], "0") + text[len(text)-1:]}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return Target{}, fmt.Errorf("%q: %w", text, ErrTarget)
	}
	return Target{to: lease.AtTimestamp, at: at.UTC().Truncate(time.Millisecond)}, nil
}

// Since is the time before which a shard must have been closed to hold nothing
// after the target for certain; zero: none did.
func (t Target) Since() time.Time {
	if t.to != lease.AtTimestamp {
		return time.Time{}
	}
	return t.at.Add(-slack)
}

func (t Target) isNumber() bool { return lease.Checkpoint{Sequence: t.to}.IsNumber() }

func (t Target) String() string {
	if t.to == lease.AtTimestamp {
		return t.at.Format(time.RFC3339Nano)
	}
	return t.to
}

// Rewind has leases read again from the target, each once. Without yes it only
// shows what would be done.
func (o *Operator) Rewind(ctx context.Context, to Target, shards []string, yes bool) error {
	listed, err := o.list(ctx, time.Time{})
	switch {
	case err != nil:
		return err
	case to.at.After(listed.Now):
		return ErrFuture
	case to.to == lease.Latest: // resolved once for all shards (S13)
		to.at = listed.Now.UTC().Truncate(time.Millisecond)
	}
	if !yes {
		p, err := o.plan(ctx, to, shards)
		if err != nil {
			return err
		}
		o.printf("%d shards; nothing was done: --yes does it\n", o.show(p))
		return nil
	}
	return o.rewind(ctx, to, shards)
}

// rewind asks for it, waits, and takes the request back when all is done. A
// request for the same that is under way, of a tool that was killed, is the one
// that is waited for; another one is waited for first.
func (o *Operator) rewind(ctx context.Context, to Target, shards []string) error {
	var want *lease.Rewind
	paused := false
	version, err := o.ask(ctx, func(f fleet) (lease.StreamRequest, error) {
		request := f.same()
		if r := f.stream.Rewind; r != nil && want != nil && r.ID == want.ID {
			return request, nil // landed; the answer was lost
		}
		paused = f.stream.Paused
		p, err := o.planAfter(ctx, f, to, shards)
		switch {
		case err != nil:
			return request, err
		case p.underWay(f.stream.Rewind):
			want = f.stream.Rewind
			return request, nil
		}
		if o.show(p) == 0 {
			o.printf("no shard is to be rewound\n")
			return request, nil
		}
		p.rewind.ID = max(p.rewind.ID, f.stream.Requests+1)
		want, request.Rewind = &p.rewind, &p.rewind
		return request, nil
	})
	switch {
	case err != nil || want == nil:
		return err
	case paused:
		o.printf("asked for (request %d); the fleet is paused: leasekeeper resume has it carried out, before anything is read\n", version)
		return nil
	}
	o.waiting(version)
	return o.finishRewind(ctx, want)
}

// endRewind ends the rewind that stands, if one does.
func (o *Operator) endRewind(ctx context.Context) error {
	f, err := o.look(ctx)
	if err != nil || f.stream == nil || f.stream.Rewind == nil {
		return err
	}
	r := f.stream.Rewind
	o.printf("a rewind stands (to %s); waiting until it is done\n", Target{to: r.To, at: r.At})
	return o.finishRewind(ctx, r)
}

// finishRewind waits until the rewind is done and takes the request back, lest
// every worker reads it each heartbeat; one that was asked for since stays.
func (o *Operator) finishRewind(ctx context.Context, done *lease.Rewind) error {
	if err := o.awaitRewound(ctx, done); err != nil {
		return err
	}
	_, err := o.ask(ctx, func(f fleet) (lease.StreamRequest, error) {
		request := f.same()
		if r := f.stream.Rewind; r != nil && r.ID == done.ID {
			request.Rewind = nil
		}
		return request, nil
	})
	return err
}

// planAfter plans once no other rewind is half done: it would lose the leases
// that wait for parents which nobody asks for any more.
func (o *Operator) planAfter(ctx context.Context, f fleet, to Target, shards []string) (*plan, error) {
	p, err := o.plan(ctx, to, shards)
	standing := f.stream.Rewind
	if err != nil || standing == nil || len(p.asked(standing)) == 0 || p.underWay(standing) {
		return p, err
	}
	if f.stream.Paused {
		return nil, ErrUnderWay
	}
	o.printf("another rewind is under way (to %s); waiting until it is done\n", Target{to: standing.To, at: standing.At})
	if err := o.awaitRewound(ctx, standing); err != nil {
		return nil, err
	}
	return o.plan(ctx, to, shards)
}

// awaitRewound waits until the rewind asks for nothing any more.
func (o *Operator) awaitRewound(ctx context.Context, want *lease.Rewind) error {
	last := -1
	for {
		rows, err := o.leases(ctx)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrNotYet, err)
		}
		p := plan{rows: rows}
		missing := p.asked(want)
		if len(missing) != last {
			last = len(missing)
			done := 0
			for _, row := range rows {
				if row.Rewound >= want.ID {
					done++
				}
			}
			o.printf("%d of %d shards rewound\n", done, done+len(missing))
		}
		if len(missing) == 0 {
			return nil
		}
		if o.pause(ctx) != nil {
			return fmt.Errorf("%w; not yet: %s", ErrNotYet, strings.Join(ids(missing), ", "))
		}
	}
}

func (o *Operator) list(ctx context.Context, since time.Time) (*lease.Listing, error) {
	a, err := o.read(ctx, lease.ListShards{Since: since})
	return a.Listing, err
}

// leases reads the lease table until that succeeds.
func (o *Operator) leases(ctx context.Context) ([]*lease.Row, error) {
	a, err := o.read(ctx, lease.ScanLeases{})
	slices.SortFunc(a.Leases, func(a, b *lease.Row) int { return strings.Compare(a.Shard, b.Shard) })
	return a.Leases, err
}

func ids(rows []*lease.Row) []string {
	names := make([]string, 0, len(rows))
	for _, row := range rows {
		names = append(names, row.Shard)
	}
	return names
}
