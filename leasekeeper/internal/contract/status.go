package contract

import "time"

// Status is the body of GET /v1/status: everything this leasekeeper knows.
type Status struct {
	Version string         `json:"version"`
	Worker  string         `json:"worker"`
	Stream  string         `json:"stream"`
	Now     time.Time      `json:"now"`
	Ready   bool           `json:"ready"`
	Reason  string         `json:"reason,omitempty"` // why it is not ready
	Workers []WorkerStatus `json:"workers"`
	Leases  []LeaseStatus  `json:"leases"`
	Moves   []Move         `json:"moves"` // what changed lately, newest first
}

// WorkerStatus is one worker as this leasekeeper sees it.
type WorkerStatus struct {
	Worker         string    `json:"worker"`
	State          string    `json:"state"`
	Ready          bool      `json:"ready"`
	Version        string    `json:"version"`
	StartedAt      time.Time `json:"started_at"`
	Leases         int       `json:"leases"`
	HeartbeatAgeMS int64     `json:"heartbeat_age_ms"`
}

// States of a lease in a LeaseStatus.
const (
	LeaseUnowned  = "unowned"
	LeaseHeld     = "held"
	LeaseDraining = "draining"
	LeaseWaiting  = "waiting" // for its parents
	LeaseFinished = "finished"
)

// LeaseStatus is one lease as this leasekeeper sees it.
type LeaseStatus struct {
	Shard          string   `json:"shard"`
	Owner          string   `json:"owner"`
	Generation     int64    `json:"generation"`
	Checkpoint     string   `json:"checkpoint"`
	Sub            int64    `json:"sub"`
	State          string   `json:"state"`
	LagMS          int64    `json:"lag_ms"`
	BytesPerSecond int64    `json:"bytes_per_second"`
	AgeMS          int64    `json:"age_ms,omitempty"` // since this leasekeeper first saw this generation held
	PlannedFor     string   `json:"planned_for,omitempty"`
	Parents        []string `json:"parents"`
	Children       []string `json:"children"`
}

// Move is one change of a lease or a worker that this leasekeeper saw or made.
type Move struct {
	At    time.Time `json:"at"`
	What  string    `json:"what"`
	Shard string    `json:"shard,omitempty"`
	From  string    `json:"from,omitempty"`
	To    string    `json:"to,omitempty"`
}
