package lease

import "time"

// Op is one operation on the outside world: one of [LeaseWrite], [WorkerWrite],
// [StreamWrite], [GetLease], [ScanWorkers], [ScanLeases], [ListShards] and [TryIterator].
// Whoever executes it makes one attempt within a bounded time and gives exactly
// one [Answer]; repeating is for whoever asked.
type Op interface{ op() }

// GetLease reads one lease row, consistently.
type GetLease struct{ Shard string }

// ScanWorkers reads the worker table, every page of it, consistently; the
// `#stream` row comes apart from the workers.
type ScanWorkers struct{}

// ScanLeases reads the lease table, every page of it, consistently. Rows of
// another entityType than LEASE are left out. It is no snapshot: pages are read
// one after the other while rows change.
type ScanLeases struct{}

// ListShards reads the stream's summary, then every page of its shards.
type ListShards struct {
	Since time.Time // only shards that were not closed before then; zero: all there are
}

// TryIterator asks the stream whether a shard can be read after a sequence
// number; Refused, with what it says, where there is no such place.
type TryIterator struct{ Shard, After string }

func (LeaseWrite) op()  {}
func (WorkerWrite) op() {}
func (StreamWrite) op() {}
func (GetLease) op()    {}
func (ScanWorkers) op() {}
func (ScanLeases) op()  {}
func (ListShards) op()  {}
func (TryIterator) op() {}

// Outcome is what is known of an attempt.
type Outcome int

// The outcomes of an attempt.
const (
	// Unknown: no answer, or one that leaves it open. The write may have
	// happened, may happen yet, late, or may never happen.
	Unknown Outcome = iota
	// Applied: done; of a read, complete.
	Applied
	// Refused: the condition failed; the answer brings the row that is there.
	Refused
	// Failed: certainly not done and never will be (throttled, denied, …).
	Failed
)

// String names the outcome.
func (o Outcome) String() string {
	return [...]string{"unknown", "applied", "refused", "failed"}[o]
}

// Answer is what came of an Op. After Applied, a write brings the row as it is
// now (nil after a delete); after Refused, the row that was met (nil: none).
type Answer struct {
	Outcome Outcome
	Err     error // why, for the log, when Unknown or Failed, or TryIterator Refused

	Lease   *Row      // LeaseWrite, GetLease (nil: no row)
	Worker  *Worker   // WorkerWrite
	Stream  *Stream   // StreamWrite, ScanWorkers (nil: no row)
	Workers []*Worker // ScanWorkers
	Leases  []*Row    // ScanLeases
	Listing *Listing  // ListShards
}
