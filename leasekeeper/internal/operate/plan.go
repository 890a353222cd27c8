package operate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// plan is what a rewind would do with the rows there are.
type plan struct {
	rows   []*lease.Row // by shard
	rewind lease.Rewind // its ID is above every row's Rewound
	gone   []string     // shards of which nothing is left

	untried error // why it is not known whether the stream can be read from a sequence number
}

// plan reads the stream first and the rows after it.
func (o *Operator) plan(ctx context.Context, to Target, shards []string) (*plan, error) {
	listing, err := o.list(ctx, time.Time{})
	if err != nil {
		return nil, err
	}
	since := listing
	if at := to.Since(); !at.IsZero() {
		if since, err = o.list(ctx, at); err != nil {
			return nil, err
		}
	}
	rows, err := o.leases(ctx)
	if err != nil {
		return nil, err
	}
	p := &plan{rows: rows}
	p.rewind, p.gone, err = Choose(rows, listing.Shards, since.Shards, to, shards)
	if err == nil && to.isNumber() {
		err = o.try(ctx, p, to.to)
	}
	return p, err
}

// try asks the stream whether the plan's one shard can be read after the number.
func (o *Operator) try(ctx context.Context, p *plan, number string) error {
	shard := p.rewind.Shards[0]
	a, err := o.read(ctx, lease.TryIterator{Shard: shard, After: number})
	if a.Outcome == lease.Refused {
		return fmt.Errorf("%s: %s %w: %w", shard, number, ErrNumber, a.Err)
	}
	p.untried = err
	return nil
}

func (p *plan) get(shard string) *lease.Row {
	at, found := slices.BinarySearchFunc(p.rows, shard, func(r *lease.Row, s string) int { return strings.Compare(r.Shard, s) })
	if !found {
		return nil
	}
	return p.rows[at]
}

// asked returns the rows that r still asks for.
func (p *plan) asked(r *lease.Rewind) []*lease.Row {
	asking := r.Of(p.get)
	var rows []*lease.Row
	for _, row := range p.rows {
		if asking.Asks(row) {
			rows = append(rows, row)
		}
	}
	return rows
}

// underWay tells whether the standing request, which may be nil, is for the same
// target and for every shard that is wanted, or one above it, and is not done.
func (p *plan) underWay(standing *lease.Rewind) bool {
	if standing == nil || standing.To != p.rewind.To || !standing.At.Equal(p.rewind.At) || len(p.asked(standing)) == 0 {
		return false
	}
	for _, shard := range p.rewind.Shards {
		if !p.below(shard, standing, map[string]bool{}) {
			return false
		}
	}
	return true
}

func (p *plan) below(shard string, standing *lease.Rewind, seen map[string]bool) bool {
	row := p.get(shard)
	if row == nil || seen[shard] {
		return false
	}
	seen[shard] = true
	return standing.Names(shard) || slices.ContainsFunc(row.Parents, func(parent string) bool { return p.below(parent, standing, seen) })
}

// show says what will be read again, from where and in which order, and returns
// how many shards that are.
func (o *Operator) show(p *plan) int {
	asking := p.rewind.Of(p.get)
	rows := p.asked(&p.rewind)
	for _, row := range rows {
		change := lease.LeaseChange{}
		asking.CarryOut(row, &change)
		to, after := change.Checkpoint.Sequence, ""
		if to == lease.AtTimestamp {
			to = Target{to: to, at: p.rewind.At}.String()
		}
		if parents := asking.Parents(row); len(parents) > 0 {
			after = ", after " + strings.Join(parents, " and ")
		}
		o.printf("%s: %s -> %s%s\n", row.Shard, position(row), to, after)
	}
	for _, shard := range p.gone {
		o.printf("%s: %v; reading begins at what is left\n", shard, ErrTrimmed)
	}
	if p.untried != nil {
		o.printf("not tried (%v): if the shard has no such number, it is not read until it is rewound again\n", p.untried)
	}
	return len(rows)
}

func position(row *lease.Row) string {
	if row.Checkpoint.Sequence == lease.AtTimestamp && !row.InitialTimestamp.IsZero() {
		return row.InitialTimestamp.UTC().Format(time.RFC3339Nano)
	}
	return row.Checkpoint.Sequence
}
