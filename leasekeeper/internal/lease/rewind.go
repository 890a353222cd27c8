package lease

import (
	"maps"
	"slices"
	"time"
)

// Rewind says from where some leases are to be read again, once each: a row
// whose Rewound is below ID has it before it. Below a finished shard that is read
// again everything is: it asks for the children too, named or not.
type Rewind struct {
	ID     int64     // above every row's Rewound when it was asked for
	To     string    // TrimHorizon, AtTimestamp or a sequence number, after which reading goes on
	At     time.Time // with AtTimestamp
	Shards []string  // sorted, never empty: no shard that is made later is meant
}

// Names tells whether shard is one of those the rewind was asked for.
func (r *Rewind) Names(shard string) bool {
	_, named := slices.BinarySearch(r.Shards, shard)
	return named
}

// target is where row is to be read from: a sequence number is of the shard that
// is named, and what is below it is read from its beginning.
func (r *Rewind) target(row *Row) Checkpoint {
	if to := (Checkpoint{Sequence: r.To}); !to.IsNumber() || r.Names(row.Shard) {
		return to
	}
	return Checkpoint{Sequence: TrimHorizon}
}

// Asking tells what a rewind asks of rows. It is valid until one of them changes,
// and not safe for concurrent use.
type Asking struct {
	rewind *Rewind
	get    func(shard string) *Row
	known  map[string]bool
}

// Of returns what the rewind, which may be nil, asks of the rows that get knows.
func (r *Rewind) Of(get func(shard string) *Row) *Asking {
	return &Asking{rewind: r, get: get}
}

// Asks tells whether row is still to be rewound: because it is named, or because
// a finished parent of it is to be read again, and it does not wait for that yet.
// row may be another version than the one get knows, or nil.
func (a *Asking) Asks(row *Row) bool {
	if a.rewind == nil || row == nil {
		return false
	}
	return row.Rewound < a.rewind.ID && a.rewind.Names(row.Shard) || len(a.Parents(row)) > 0
}

// Parents returns the finished parents that are to be read again before row, and
// that it does not wait for yet.
func (a *Asking) Parents(row *Row) []string {
	if a.rewind == nil {
		return nil
	}
	var parents []string
	for _, id := range row.Parents {
		if p := a.get(id); p != nil && p.Finished() && row.Behind[id] < a.rewind.ID && a.asks(p) {
			parents = append(parents, id)
		}
	}
	return parents
}

func (a *Asking) asks(row *Row) bool {
	asks, done := a.known[row.Shard]
	if !done {
		if a.known == nil {
			a.known = make(map[string]bool)
		}
		a.known[row.Shard] = false // ends a circle
		asks = a.Asks(row)
		a.known[row.Shard] = asks
	}
	return asks
}

// CarryOut has a change that makes a new generation of row carry the rewind out,
// if it is asked for: position, the rewind's number and the generation in one
// write. A row whose parents are to be read again is left to nobody, and says
// itself what it waits for. It returns whether it changed the change.
func (a *Asking) CarryOut(row *Row, change *LeaseChange) bool {
	if !a.Asks(row) {
		return false
	}
	to := a.rewind.target(row)
	change.Checkpoint, change.OwnerSwitches, change.Rewind = &to, 0, a.rewind
	if parents := a.Parents(row); len(parents) > 0 {
		change.Owner = ""
		change.Behind = make(map[string]int64, len(row.Parents))
		maps.Copy(change.Behind, row.Behind)
		for _, p := range parents {
			change.Behind[p] = a.rewind.ID
		}
	}
	return true
}

// Frees tells whether child, a row below the finished shard parent, lets parent
// be read again: it cannot be claimed before that is done. This is final, for
// what a row waits for is never lowered.
func (r *Rewind) Frees(child *Row, parent string) bool { return child.Behind[parent] >= r.ID }
