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
	ErrFuture    = errors.New("that time is yet to come")
	ErrTarget    = errors.New("want TRIM_HORIZON, LATEST, an RFC 3339 time such as 2026-11-23T12:00:00Z, or a sequence number")
	ErrOneShard  = errors.New("a sequence number is of one shard: name that one with --shards")
	ErrFinished  = errors.New("finished: the records of a finished shard cannot be read again by a rewind")
	ErrResharded = errors.New("the stream was resharded within its retention, and what these finished shards hold would not be read again: " +
		"name the shards that are to be rewound with --shards")
	ErrTooMany = errors.New("too many shards for one request: name up to 5000 with --shards")
)

const maxRewound = 5000

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
		return Target{to: text}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return Target{}, fmt.Errorf("%q: %w", text, ErrTarget)
	}
	return Target{to: lease.AtTimestamp, at: at.UTC().Truncate(time.Millisecond)}, nil
}

func (t Target) String() string {
	if t.to == lease.AtTimestamp {
		return t.at.Format(time.RFC3339Nano)
	}
	return t.to
}

// Rewind has leases read again from the target, each once. Without yes it only
// shows what would be done.
func (o *Operator) Rewind(ctx context.Context, to Target, shards []string, yes bool) error {
	listed := o.Execute(ctx, lease.ListShards{})
	if listed.Outcome != lease.Applied {
		return listed.Err
	}
	if to.at.After(listed.Listing.Now) {
		return ErrFuture
	}
	rows, err := o.leases(ctx)
	if err != nil {
		return err
	}
	chosen, err := choose(rows, listed.Listing, to, shards)
	if err != nil {
		return err
	}
	want := lease.Rewind{To: to.to, At: to.at}
	if to.to == lease.Latest { // resolved once for all shards (S13)
		want.To, want.At = lease.AtTimestamp, listed.Listing.Now.UTC().Truncate(time.Millisecond)
	}
	for _, row := range chosen {
		want.Shards = append(want.Shards, row.Shard)
		o.printf("%s: %s -> %s\n", row.Shard, position(row), to)
	}
	for _, row := range rows {
		want.ID = max(want.ID, row.Rewound+1)
	}
	if !yes || len(chosen) == 0 {
		o.printf("%d shards; nothing was done: --yes does it\n", len(chosen))
		return nil
	}
	return o.rewind(ctx, want)
}

// rewind asks for it, waits, and takes the request back when all is done. A
// request for the same that still stands, of a tool that was killed, is the one
// that is waited for.
func (o *Operator) rewind(ctx context.Context, want lease.Rewind) error {
	_, err := o.ask(ctx, func(f fleet) (lease.StreamRequest, error) {
		request := f.same()
		if f.stream.Paused {
			return request, ErrPaused
		}
		if r := f.stream.Rewind; r != nil && r.Same(&want) {
			want.ID = r.ID
			return request, nil
		}
		want.ID = max(want.ID, f.stream.Requests+1)
		request.Rewind = &want
		return request, nil
	})
	if err != nil {
		return err
	}
	if err := o.awaitRewound(ctx, &want); err != nil {
		return err
	}
	_, err = o.ask(ctx, func(f fleet) (lease.StreamRequest, error) {
		request := f.same()
		if r := f.stream.Rewind; r != nil && r.ID == want.ID {
			request.Rewind = nil
		}
		return request, nil
	})
	return err
}

func (o *Operator) awaitRewound(ctx context.Context, want *lease.Rewind) error {
	last := -1
	for {
		rows, err := o.leases(ctx)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrNotYet, err)
		}
		var missing, finished []string
		for _, row := range rows {
			_, named := slices.BinarySearch(want.Shards, row.Shard)
			switch {
			case want.Asks(row):
				missing = append(missing, row.Shard)
			case named && row.Rewound < want.ID:
				finished = append(finished, row.Shard)
			}
		}
		if len(missing) != last {
			last = len(missing)
			o.printf("%d of %d shards rewound\n", len(want.Shards)-len(missing)-len(finished), len(want.Shards))
		}
		switch {
		case len(missing) == 0 && len(finished) > 0:
			return fmt.Errorf("%s: %w; they ended before they could be rewound", strings.Join(finished, ", "), ErrFinished)
		case len(missing) == 0:
			return nil
		case o.pause(ctx) != nil:
			return fmt.Errorf("%w; not yet: %s", ErrNotYet, strings.Join(missing, ", "))
		}
	}
}

// leases reads the lease table until that succeeds.
func (o *Operator) leases(ctx context.Context) ([]*lease.Row, error) {
	for {
		a := o.Execute(ctx, lease.ScanLeases{})
		if a.Outcome == lease.Applied {
			slices.SortFunc(a.Leases, func(a, b *lease.Row) int { return strings.Compare(a.Shard, b.Shard) })
			return a.Leases, nil
		}
		if a.Outcome == lease.Failed && !o.Open(a.Err) {
			return nil, a.Err
		}
		if err := o.pause(ctx); err != nil {
			return nil, fmt.Errorf("%w: %w", err, a.Err)
		}
	}
}

// choose returns the rows to rewind, sorted. Rewinding a shard that is not
// finished never has a child read before its parent (I3): its children wait for
// it, and its parents are done. One that still waits for a parent has everything
// before it already; only for LATEST is it moved.
func choose(rows []*lease.Row, listing *lease.Listing, to Target, shards []string) ([]*lease.Row, error) {
	byShard, listed := map[string]*lease.Row{}, map[string]bool{}
	for _, row := range rows {
		byShard[row.Shard] = row
	}
	for _, s := range listing.Shards {
		listed[s.ID] = true
	}
	var chosen []*lease.Row
	var finished []string
	for _, row := range rows {
		switch {
		case len(shards) > 0 && !slices.Contains(shards, row.Shard):
		case row.Finished():
			if listed[row.Shard] {
				finished = append(finished, row.Shard)
			}
		case to.to != lease.Latest && waits(row, byShard):
		default:
			chosen = append(chosen, row)
		}
	}
	if err := named(shards, byShard); err != nil {
		return nil, err
	}
	switch {
	case len(finished) > 0 && to.to != lease.Latest:
		return nil, fmt.Errorf("%s: %w", strings.Join(finished, ", "), ErrResharded)
	case (lease.Checkpoint{Sequence: to.to}).IsNumber() && len(chosen) != 1:
		return nil, ErrOneShard
	case len(chosen) > maxRewound:
		return nil, ErrTooMany
	}
	return chosen, nil
}

// named tells what is wrong with the shards that were named.
func named(shards []string, rows map[string]*lease.Row) error {
	for _, shard := range shards {
		if row := rows[shard]; row == nil {
			return fmt.Errorf("no lease of shard %s: see leasekeeper leases", shard)
		} else if row.Finished() {
			return fmt.Errorf("%s: %w", shard, ErrFinished)
		}
	}
	return nil
}

func waits(row *lease.Row, rows map[string]*lease.Row) bool {
	for _, parent := range row.Parents {
		if p := rows[parent]; p != nil && !p.Finished() {
			return true
		}
	}
	return false
}

func position(row *lease.Row) string {
	if row.Checkpoint.Sequence == lease.AtTimestamp && !row.InitialTimestamp.IsZero() {
		return row.InitialTimestamp.UTC().Format(time.RFC3339Nano)
	}
	return row.Checkpoint.Sequence
}
