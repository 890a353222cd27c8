package lease

import (
	"hash/fnv"
	"strings"
	"time"
)

// State of a worker's row.
type State string

// The states of a worker. Evicted is final: no write ever leaves it.
const (
	Active   State = "ACTIVE"
	Draining State = "DRAINING" // leaving: takes nothing, hands over what it has
	Evicted  State = "EVICTED"
)

// Bounds of a lease duration. A row that shows another value is not believed:
// its worker is given MaxDuration, the only choice that is safe.
const (
	MinDuration = 500 * time.Millisecond
	MaxDuration = time.Minute
)

// Worker is one row of the worker table: one life of one leasekeeper. It is
// everything a peer must know of it.
type Worker struct {
	ID        string        // workerId
	Counter   int64         // counter: the heartbeat
	State     State         // state
	Duration  time.Duration // leaseDurationMs: D of this worker
	Ready     bool          // ready: a healthy consumer is attached
	MaxLeases int           // maxLeases: takes no more than these; 0: no cap
	Held      []Held        // held, sorted by shard
	HeldErr   error         // held cannot be read: what it holds is in the lease table alone
	StartedAt time.Time     // startedAt, wall clock, for people
	Version   string        // version of the program
	ExpiresAt time.Time     // expiresAt: when the table's TTL may remove the row
	Requests  int64         // requests: Stream.Requests as far as it is carried out here
}

// Held is what a worker says of one lease it holds, draining included.
type Held struct {
	Shard          string
	Generation     int64
	BytesPerSecond int64 // smoothed, and rounded to what the table keeps
	LagMillis      int64 // rounded likewise; for people, no decision rests on it
	Moving         bool  // announced: will be withdrawn soon for the worker it is planned for
	To             byte  // Tag of that worker where it moves; 0: nobody is named
}

// Tag is a name of a worker in eight bits, never 0: the FNV-1a hash of its id,
// folded. Two workers of a large fleet may share one.
func Tag(id string) byte {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	return byte(1 + h.Sum32()%255)
}

// ValidDuration returns the worker's lease duration, or MaxDuration where the
// row holds something no leasekeeper would write.
func (w *Worker) ValidDuration() time.Duration {
	if w.Duration < MinDuration || w.Duration > MaxDuration {
		return MaxDuration
	}
	return w.Duration
}

// Takes tells whether leases may be planned for this worker.
func (w *Worker) Takes() bool { return w.State == Active && w.Ready }

// OwnForm tells whether id looks like a leasekeeper's: `<name>/<8 hex>`. Any
// other owner of a lease is taken for a KCL worker.
func OwnForm(id string) bool {
	at := strings.LastIndexByte(id, '/')
	if at < 1 || len(id)-at-1 != 8 {
		return false
	}
	for _, c := range id[at+1:] {
		if !strings.ContainsRune("0123456789abcdef", c) {
			return false
		}
	}
	return true
}

// WorkerWrite is one conditional write of a worker row. Exactly one of Create,
// Put, Evict and Delete is set.
type WorkerWrite struct {
	Worker string
	Create *Worker         // put this row where there is none; If is not looked at
	If     WorkerCondition // what the row must be for Put, Evict and Delete
	Put    *Worker         // replace the row: a heartbeat
	Evict  bool            // set the state to EVICTED and nothing else
	Delete bool
}

// WorkerCondition is what a row must show for a write to be applied: the
// counter, and whether it is EVICTED. A row that is not there fulfills none.
type WorkerCondition struct {
	Counter int64
	Evicted bool // true: state = EVICTED; false: state <> EVICTED
}

// Holds tells whether row, which may be nil, fulfills the condition.
func (c WorkerCondition) Holds(row *Worker) bool {
	return row != nil && row.Counter == c.Counter && (row.State == Evicted) == c.Evicted
}

// Apply returns the row after the write, nil where there is none, and whether
// the write was applied to old, which may be nil and is not changed.
func (w WorkerWrite) Apply(old *Worker) (*Worker, bool) {
	switch {
	case w.Create != nil:
		if old != nil {
			return old, false
		}
		return w.Create, true
	case !w.If.Holds(old):
		return old, false
	case w.Put != nil:
		return w.Put, true
	case w.Delete:
		return nil, true
	}
	row := *old
	row.State = Evicted
	return &row, true
}
