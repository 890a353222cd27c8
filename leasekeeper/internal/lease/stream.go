package lease

import "time"

// StreamKey is the workerId of the row that says which stream the tables are for.
const StreamKey = "#stream"

// Stream is the `#stream` row of the worker table.
type Stream struct {
	ARN              string    // streamArn
	CreatedAt        time.Time // streamCreatedAt: tells a stream from another of the same name
	LeaseTable       string    // leaseTable: the one that goes with this worker table; empty: not said yet
	ShardMapVersion  int64     // shardMapVersion: moves when the lease table has new rows or finished ones
	InitialPosition  string    // initialPosition: TrimHorizon or AtTimestamp
	InitialTimestamp time.Time // initialTimestamp T: resolved once, from the service's time

	// What operators ask of the fleet; every worker sees it in its next scan.
	Requests int64    // requests: up by one with each
	Paused   bool     // paused: leases are kept, nothing is read
	Released []string // released, sorted: workers that hand everything over and take nothing
	Rewind   *Rewind  // rewind; nil: none
}

// SameStream tells whether both rows are of one life of one stream.
func (s *Stream) SameStream(arn string, createdAt time.Time) bool {
	return s.ARN == arn && s.CreatedAt.UnixMilli() == createdAt.UnixMilli()
}

// StreamWrite is one write of the `#stream` row: Create puts it where there is
// none, LeaseTable is set where none is, Request changes what is asked of the
// fleet; otherwise the shard map
// version of the row that must be there goes up by one, which may safely happen
// twice.
type StreamWrite struct {
	Create     *Stream
	LeaseTable string
	Request    *StreamRequest
}

// StreamRequest replaces what is asked of the fleet, on the condition that
// nothing else was asked since.
type StreamRequest struct {
	Seen     int64 // Requests as it was read
	Paused   bool
	Released []string // sorted
	Rewind   *Rewind
}

// Apply returns the row after the write and whether it was applied to old,
// which may be nil and is not changed.
func (w StreamWrite) Apply(old *Stream) (*Stream, bool) {
	if w.Create != nil {
		if old != nil {
			return old, false
		}
		return w.Create, true
	}
	if old == nil {
		return nil, false
	}
	row := *old
	if w.LeaseTable != "" {
		row.LeaseTable = w.LeaseTable
		if old.LeaseTable != "" {
			return old, false
		}
		return &row, true
	}
	if w.Request != nil {
		if old.Requests != w.Request.Seen {
			return old, false
		}
		row.Requests, row.Paused, row.Released = old.Requests+1, w.Request.Paused, w.Request.Released
		row.Rewind = w.Request.Rewind
		return &row, true
	}
	row.ShardMapVersion++
	return &row, true
}

// Shard is one shard as ListShards shows it.
type Shard struct {
	ID        string
	Parents   []string // parent and adjacent parent, as far as there are any
	HashStart string
	HashEnd   string

	// SequenceStart and SequenceEnd bound its sequence numbers; no end: it is open.
	SequenceStart string
	SequenceEnd   string
}

// Listing is one complete answer of the stream: its summary, read before the
// shards were listed, and every page of the list.
type Listing struct {
	ARN       string
	CreatedAt time.Time
	Now       time.Time // the service's time, from the answer's Date header
	Shards    []Shard
}
