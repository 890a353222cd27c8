// Package contract is leasekeeper/api/v1.yaml as Go types: what the consumer
// beside a leasekeeper says and hears, and the status both people and programs
// read. It holds data only.
package contract

// SyncRequest is the body of POST /v1/sync.
type SyncRequest struct {
	Consumer string        `json:"consumer"`
	Version  string        `json:"version"`
	Worker   string        `json:"worker"`
	Revision int64         `json:"revision"`
	WaitMS   int64         `json:"wait_ms"`
	Draining bool          `json:"draining"`
	Shards   []ShardReport `json:"shards"`
}

// States of a shard at the consumer. Drained and Ended are final for a generation.
const (
	Reading = "reading"
	Drained = "drained" // stopped, checkpoint final
	Ended   = "ended"   // shard end reached, every message done
)

// ShardReport is how far the consumer is with one generation of one shard.
type ShardReport struct {
	Shard            string       `json:"shard"`
	Generation       int64        `json:"generation"`
	State            string       `json:"state"`
	Checkpoint       *Checkpoint  `json:"checkpoint,omitempty"`
	LagMS            int64        `json:"lag_ms,omitempty"`
	BytesPerSecond   int64        `json:"bytes_per_second,omitempty"`
	RecordsPerSecond int64        `json:"records_per_second,omitempty"`
	Children         []ChildShard `json:"children,omitempty"`
}

// Checkpoint says that everything up to and including it is done.
type Checkpoint struct {
	Sequence string `json:"sequence"`
	Sub      int64  `json:"sub"`
}

// ChildShard is a child as the end of its parent tells it.
type ChildShard struct {
	Shard        string        `json:"shard"`
	Parents      []string      `json:"parents"`
	HashKeyRange *HashKeyRange `json:"hash_key_range,omitempty"`
}

// HashKeyRange is a shard's part of the hash key space, both ends included.
type HashKeyRange struct {
	Start string `json:"start"`
	End   string `json:"end"`
}

// SyncResponse is everything the consumer should hold.
type SyncResponse struct {
	Version  string  `json:"version"`
	Worker   string  `json:"worker"`
	Revision int64   `json:"revision"`
	TTLMS    int64   `json:"ttl_ms"`
	Grants   []Grant `json:"grants"`
}

// Grant is a lease handed on to the consumer, for the answer's TTL.
type Grant struct {
	Stream       string        `json:"stream"`
	StreamARN    string        `json:"stream_arn,omitempty"`
	Shard        string        `json:"shard"`
	Generation   int64         `json:"generation"`
	Start        Start         `json:"start"`
	HashKeyRange *HashKeyRange `json:"hash_key_range,omitempty"`
}

// Types of a Start.
const (
	TrimHorizon      = "TRIM_HORIZON"
	AtTimestamp      = "AT_TIMESTAMP"
	AtSequenceNumber = "AT_SEQUENCE_NUMBER"
)

// Start is where to read from. AtSequenceNumber means: resume AT it and skip
// everything up to and including (Sequence, Sub).
type Start struct {
	Type        string `json:"type"`
	TimestampMS int64  `json:"timestamp_ms,omitempty"`
	Sequence    string `json:"sequence,omitempty"`
	Sub         int64  `json:"sub,omitempty"`
}

// ErrorBody is the body of every answer that is not a success.
type ErrorBody struct {
	Error Error `json:"error"`
}

// Error is a code for programs and a message for people.
type Error struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Codes of an Error.
const (
	BadRequest       = "BadRequest"
	ConsumerConflict = "ConsumerConflict"
	NotReady         = "NotReady"
)
