// Package record defines one entry of a PutRecords request: a message of its
// own, or several packed into one.
package record

import (
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/message"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/shards"
)

// Record is one entry to put, with the history of its attempts.
type Record struct {
	Hash shards.Hash     // where it goes: the hash key of its (first) message
	One  message.Message // the message, when Many is nil
	Many []message.Message
	Size int // bytes of data and key on the wire, at most

	Shard string // where it was foreseen to go when it was last sent

	Attempts int       // requests it was part of
	Unsure   int       // of these, the ones that were not answered
	First    time.Time // when it was first sent
	Due      time.Time // not to be sent before
}

// Of returns the record of a single message.
func Of(m message.Message, hash shards.Hash) Record {
	return Record{Hash: hash, One: m, Size: m.Size()}
}

// Each calls f for every message of the record.
func (r *Record) Each(f func(m message.Message)) {
	if r.Many == nil {
		f(r.One)
		return
	}
	for _, m := range r.Many {
		f(m)
	}
}

// Messages is the number of messages in the record.
func (r *Record) Messages() int {
	if r.Many == nil {
		return 1
	}
	return len(r.Many)
}

// Bytes is what the messages count for the account, and Cost what they count
// against the buffer: the overhead of holding them included.
func (r *Record) Bytes() (size, cost int64) {
	r.Each(func(m message.Message) { size += int64(m.Size()) })
	return size, size + int64(r.Messages())*message.Overhead
}

// Outcome is what became of one record in a request that was answered.
type Outcome struct {
	Shard string // where it was stored
	Code  string // why it was not; empty when it was
}
