// Package inspect shows the lease and worker tables to people and programs, and
// says what is wrong with them. It only reads.
//
// Life is judged as the protocol judges it: by counters that move between two
// looks, never by comparing clocks. A single run sees a few seconds; what it
// calls stuck stood still for that long.
package inspect

import (
	"sort"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// Look is what was read at one moment.
type Look struct {
	Workers []*lease.Worker
	Leases  []*lease.Row
	Stream  *lease.Stream // nil: the tables were never used
}

// Lease is one row of the report.
type Lease struct {
	Shard          string   `json:"shard"`
	State          string   `json:"state"` // held, moving, unowned, waiting, finished
	Owner          string   `json:"owner"`
	Generation     int64    `json:"generation"`
	Checkpoint     string   `json:"checkpoint"`
	Sub            int64    `json:"sub"`
	OwnerUpMS      int64    `json:"owner_up_ms"` // by the clocks of hosts: for people
	LagMS          int64    `json:"lag_ms"`      // as the owner told it last; 0 when nobody holds the lease
	BytesPerSecond int64    `json:"bytes_per_second"`
	Parents        []string `json:"parents"`
	Children       []string `json:"children"`
	Problems       []string `json:"problems"` // empty: nothing is wrong
}

// Worker is one row of the report on workers.
type Worker struct {
	Worker   string    `json:"worker"`
	State    string    `json:"state"` // ACTIVE, DRAINING, EVICTED
	Alive    bool      `json:"alive"` // its counter moved between the looks
	Ready    bool      `json:"ready"` // a healthy consumer is attached
	Leases   int       `json:"leases"`
	MaxLagMS int64     `json:"max_lag_ms"`
	Version  string    `json:"version"`
	Started  time.Time `json:"started_at"`
	Problems []string  `json:"problems"`
}

// Report is everything that two looks and a listing show.
type Report struct {
	Stream   string   `json:"stream"`
	Leases   []Lease  `json:"leases"`
	Workers  []Worker `json:"workers"`
	Problems []string `json:"problems"` // of the tables as a whole
}

// StuckLag is from which lag on a checkpoint that does not move is a problem: a
// busy shard that is kept up with moves within a second or two.
const StuckLag = time.Minute

// Build compares two looks, taken longer apart than a heartbeat and a checkpoint
// interval, and the stream's listing read in between. now is for ages only.
func Build(first, second Look, listing *lease.Listing, stream string, now time.Time) Report {
	b := builder{first: first, second: second, listing: listing, now: now}
	b.index()
	r := Report{Stream: stream, Leases: []Lease{}, Workers: []Worker{}, Problems: b.problems()}
	for _, w := range second.Workers {
		r.Workers = append(r.Workers, b.worker(w))
	}
	for _, row := range second.Leases {
		r.Leases = append(r.Leases, b.lease(row))
	}
	sort.Slice(r.Workers, func(i, j int) bool { return r.Workers[i].Worker < r.Workers[j].Worker })
	sort.Slice(r.Leases, func(i, j int) bool { return r.Leases[i].Shard < r.Leases[j].Shard })
	return r
}

// Wrong counts the problems of the report.
func (r *Report) Wrong() int {
	n := len(r.Problems)
	for i := range r.Leases {
		n += len(r.Leases[i].Problems)
	}
	for i := range r.Workers {
		n += len(r.Workers[i].Problems)
	}
	return n
}
