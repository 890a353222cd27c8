// Package lease holds the rows of the lease and worker tables as data, and the
// conditional reads and writes made of them, described by structure and not in
// any database's language.
//
// Every write is a pure function from the row that is there to the row that
// will be: [LeaseWrite.Apply], [WorkerWrite.Apply], [StreamWrite.Apply]. The
// adapter to DynamoDB must do exactly what Apply says, a simulated table calls
// it. Rows are never changed once they were handed on: a changed row is a copy.
//
// What it does not do: it knows no clock, makes no decision, and guarantees
// nothing about the order in which writes land.
package lease

import "time"

// Row is one row of the lease table: the right to read one shard. Attribute
// names in the table are the KCL's.
type Row struct {
	Shard            string     // leaseKey
	Owner            string     // leaseOwner; empty: nobody
	Counter          int64      // leaseCounter: the generation, up by one with every change of owner
	Checkpoint       Checkpoint // checkpoint, checkpointSubSequenceNumber
	OwnerSwitches    int64      // ownerSwitchesSinceCheckpoint
	Parents          []string   // parentShardId, sorted
	Children         []string   // childShardIds, sorted; known from the shard's end on
	HashStart        string     // startingHashKey
	HashEnd          string     // endingHashKey
	InitialTimestamp time.Time  // initialTimestamp: where AT_TIMESTAMP starts; zero: not stored
	Rewound          int64      // rewound: the latest Rewind that was carried out on it
	WorkerTable      string     // workerTable: where the owner, if it is a leasekeeper, has its row; empty: not said

	// Behind is, by parent, the Rewind which that parent must have carried out, and
	// be finished again, before the row is claimed (behind). Never lowered.
	Behind map[string]int64
}

// Finished tells whether the shard was processed to its end.
func (r *Row) Finished() bool { return r.Checkpoint.Sequence == ShardEnd }

// StartsAtTime tells whether nothing of the shard is done yet, and reading begins
// at a time: the row's InitialTimestamp or, where it has none, the stream's.
func (r *Row) StartsAtTime() bool {
	return r.Checkpoint.Sequence == Latest || r.Checkpoint.Sequence == AtTimestamp
}

// OtherFleet tells whether the row is owned by a leasekeeper whose own row is in
// another worker table than the one named: whether it lives cannot be known there.
func (r *Row) OtherFleet(workerTable string) bool {
	return OwnForm(r.Owner) && r.WorkerTable != "" && r.WorkerTable != workerTable
}

// Awaits tells whether the row must not be read yet because of a parent of it,
// which is nil when it has no row: then it is done and gone.
func (r *Row) Awaits(parent *Row) bool {
	return parent != nil && (!parent.Finished() || parent.Rewound < r.Behind[parent.Shard])
}

// LeaseWrite is one conditional write of a lease row. Exactly one of Create,
// Change and Delete is set.
type LeaseWrite struct { //nolint:revive // beside WorkerWrite and StreamWrite, Write alone would say less
	Shard  string
	Create *Row           // put this row where there is none; If is not looked at
	If     LeaseCondition // what the row must be for Change and Delete
	Change *LeaseChange
	Delete bool
}

// LeaseCondition is what a row must show for a write to be applied: the owner
// (empty: no owner) and the generation, and the checkpoint unless it is nil.
// A row that is not there fulfills no condition.
type LeaseCondition struct { //nolint:revive // beside WorkerCondition
	Owner      string
	Counter    int64
	Checkpoint *Checkpoint // equality of sequence and sub-sequence, never order
}

// LeaseChange is what an applied write sets.
type LeaseChange struct { //nolint:revive // of a LeaseWrite
	Owner         string           // owner from now on; empty: the attribute is removed, and workerTable with it
	WorkerTable   string           // with a new Owner: the worker table with its row; empty: stays
	Counter       int64            // generation from now on
	OwnerSwitches int64            // ownerSwitchesSinceCheckpoint from now on
	Checkpoint    *Checkpoint      // nil: stays
	Children      []string         // none: stay
	Rewind        *Rewind          // carried out: Rewound, and InitialTimestamp with AT_TIMESTAMP; Checkpoint says where to
	Behind        map[string]int64 // nil: stays
	DropForeign   bool             // remove the KCL's checkpointOwner and pending checkpoint
}

// Holds tells whether row, which may be nil, fulfills the condition.
func (c LeaseCondition) Holds(row *Row) bool {
	return row != nil && row.Owner == c.Owner && row.Counter == c.Counter &&
		(c.Checkpoint == nil || *c.Checkpoint == row.Checkpoint)
}

// Apply returns the row after the write, nil where there is none, and whether
// the write was applied to old, which may be nil and is not changed.
func (w LeaseWrite) Apply(old *Row) (*Row, bool) {
	switch {
	case w.Create != nil:
		if old != nil {
			return old, false
		}
		return w.Create, true
	case !w.If.Holds(old):
		return old, false
	case w.Delete:
		return nil, true
	}
	row := *old
	row.Owner, row.Counter, row.OwnerSwitches = w.Change.Owner, w.Change.Counter, w.Change.OwnerSwitches
	if w.Change.Owner == "" || w.Change.WorkerTable != "" {
		row.WorkerTable = w.Change.WorkerTable
	}
	if w.Change.Checkpoint != nil {
		row.Checkpoint = *w.Change.Checkpoint
	}
	if r := w.Change.Rewind; r != nil {
		row.Rewound = r.ID
		if r.To == AtTimestamp {
			row.InitialTimestamp = r.At
		}
	}
	if len(w.Change.Children) > 0 {
		row.Children = w.Change.Children
	}
	if w.Change.Behind != nil {
		row.Behind = w.Change.Behind
	}
	return &row, true
}
