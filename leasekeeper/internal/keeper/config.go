package keeper

import "time"

// Config is what a Keeper is made with. It does not change.
type Config struct {
	Name    string // the part of the worker id before the slash: ECS task id or host name
	Version string // of the program
	Stream  string // name of the stream, for grants and messages

	// The tables' names: each table says which other one goes with it. Two fleets
	// with one of them in common must not read at the same time.
	LeaseTable, WorkerTable string

	Epoch    time.Time     // wall clock at time 0, for rows and status that people read
	Seed     uint64        // of jitter and of the eight hex digits of worker ids
	Duration time.Duration // D, the lease duration

	// InitialPosition is lease.TrimHorizon, lease.Latest or lease.AtTimestamp,
	// the last with InitialTimestamp. It matters only to the worker that makes
	// the `#stream` row.
	InitialPosition  string
	InitialTimestamp time.Time

	MaxLeases          int           // holds no more than these; 0: no cap
	ForeignWait        time.Duration // how long a KCL's lease must stand still
	CheckpointInterval time.Duration // between two checkpoint writes of one lease
	DrainTimeout       time.Duration // from Shutdown to Exit at the latest
}

// The derived times of the protocol, docs/DESIGN.md.

// heartbeat is H.
func (c Config) heartbeat() time.Duration { return c.Duration / 4 }

// validity is D(1−ε): how long a heartbeat that landed keeps leases good.
func (c Config) validity() time.Duration { return c.Duration - c.Duration/10 }

// announcement is 1¼H: how long peers get to learn of a move before it happens.
func (c Config) announcement() time.Duration { return c.heartbeat() * 5 / 4 }
