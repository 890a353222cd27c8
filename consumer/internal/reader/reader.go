// Package reader reads a shard: by polling, at a pace that leaves room for
// other readers of the stream, or by enhanced fan-out.
package reader

import (
	"context"
	"errors"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
)

// Record is a Kinesis record. Its fields share the memory of the answer it
// came in.
type Record struct {
	Sequence     string
	PartitionKey string
	Arrived      time.Time // to the millisecond
	Data         []byte
}

// Batch is what one call, or one event of a subscription, gave.
type Batch struct {
	Records  []Record
	Next     string // what to go on with: the next iterator, or a subscription's continuation sequence number; empty at the end of the shard
	BehindMS int64  // how far behind the newest record
	Children []contract.ChildShard
	Cost     int64 // bytes of memory the Batch holds
	Payload  int64 // bytes as Kinesis counts them against its limits
}

// Last tells whether the shard ends with b.
func (b *Batch) Last() bool { return b.Next == "" }

// Sentinels of a Source.
var (
	ErrExpired   = errors.New("iterator expired")
	ErrIterator  = errors.New("iterator not taken") // though it has not expired
	ErrThrottled = errors.New("throttled")
	ErrNoShard   = errors.New("no such shard or stream")
	ErrRefused   = errors.New("not allowed") // by permissions, credentials or a key of KMS
	ErrPosition  = errors.New("the shard has no such sequence number")
)

// Start is where an iterator begins: at a contract.Start, or after the record
// with sequence number After if that is set.
type Start struct {
	contract.Start
	After string
}

// Source is Kinesis.
type Source interface {
	Iterator(ctx context.Context, g contract.Grant, s Start) (string, error)
	// Records is called with an iterator that Iterator or a Batch gave.
	Records(ctx context.Context, g contract.Grant, iterator string) (*Batch, error)
}

// Sink takes what was read, in order. release is to be called once, when the
// Batch's memory is not needed any more, whatever Accept returns. An error
// ends the reading.
type Sink interface {
	Accept(ctx context.Context, b *Batch, release func()) error
}

// Observer hears what happens. Its methods must not block.
type Observer interface {
	Read(records int, bytes, behindMS int64)
	Throttled()
	ReadFailed()
	CheckpointTrimmed() // the stream no longer has the record to go on from
}
