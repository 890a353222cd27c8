// Package contract has the messages of leasekeeper/api/v1.yaml as Go types.
// Fields that this version does not know are ignored.
package contract

// States of a shard in a report.
const (
	Reading = "reading" // held; its messages may be in process
	Drained = "drained" // stopped; its checkpoint is final
	Ended   = "ended"   // the shard's end is reached and every message done
)

// Types of a Start.
const (
	TrimHorizon      = "TRIM_HORIZON"
	AtTimestamp      = "AT_TIMESTAMP"
	AtSequenceNumber = "AT_SEQUENCE_NUMBER"
)

// SyncRequest is what the consumer tells.
type SyncRequest struct {
	Consumer string        `json:"consumer"`
	Version  string        `json:"version"`
	Worker   string        `json:"worker"`
	Revision int64         `json:"revision"`
	WaitMS   int64         `json:"wait_ms"`
	Draining bool          `json:"draining"`
	Shards   []ShardReport `json:"shards"`
}

// ShardReport is how far one grant is done.
type ShardReport struct {
	Shard            string       `json:"shard"`
	Generation       int64        `json:"generation"`
	State            string       `json:"state"`
	Checkpoint       *Checkpoint  `json:"checkpoint,omitempty"`
	LagMS            int64        `json:"lag_ms"`
	BytesPerSecond   int64        `json:"bytes_per_second"`
	RecordsPerSecond int64        `json:"records_per_second"`
	Children         []ChildShard `json:"children,omitempty"`
}

// Checkpoint says that everything up to and including it is done.
type Checkpoint struct {
	Sequence string `json:"sequence"`
	Sub      int64  `json:"sub"`
}

// HashKeyRange is a shard's range of hash keys, both ends included, as decimal
// numbers.
type HashKeyRange struct {
	Start string `json:"start"`
	End   string `json:"end"`
}

// ChildShard is a shard that goes on where another has ended.
type ChildShard struct {
	Shard        string        `json:"shard"`
	Parents      []string      `json:"parents"`
	HashKeyRange *HashKeyRange `json:"hash_key_range,omitempty"`
}

// SyncResponse is everything the consumer should hold.
type SyncResponse struct {
	Version  string  `json:"version"`
	Worker   string  `json:"worker"`
	Revision int64   `json:"revision"`
	TTLMS    int64   `json:"ttl_ms"`
	Grants   []Grant `json:"grants"`
}

// Grant is the right to read one shard.
type Grant struct {
	Stream       string        `json:"stream"`
	StreamARN    string        `json:"stream_arn"`
	Shard        string        `json:"shard"`
	Generation   int64         `json:"generation"`
	Start        Start         `json:"start"`
	HashKeyRange *HashKeyRange `json:"hash_key_range"`
}

// Start is where reading begins.
type Start struct {
	Type        string `json:"type"`
	TimestampMS int64  `json:"timestamp_ms"`
	Sequence    string `json:"sequence"`
	Sub         int64  `json:"sub"`
}

// ErrorBody is the body of an answer that is not 200.
type ErrorBody struct {
	Error struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}
