// Package handler is what people replace: the interface between the consumer,
// which reads, orders, retries and checkpoints, and the code that does
// something with a message.
//
// The promises to a Handler:
//
//   - Messages of one partition key come one after another, in the order of the
//     stream; the next only when the one before is done. Different keys run
//     side by side, up to CONSUMER_CONCURRENCY_LIMIT messages at a time.
//   - A message is done when Handle returned no error for it. Only then may the
//     checkpoint pass it.
//   - Every message is handled at least once: after a crash, or when a shard
//     moves, some are handled again. They have the same ID then, so writing
//     twice under that ID is the same as writing once.
//   - The context ends when the right to read the shard ends. What is still
//     under way then is handled again by the shard's next reader. It tells no
//     Deadline, as the right is renewed again and again meanwhile: a call that may
//     hang needs a timeout of its own.
package handler

import (
	"context"
	"strconv"
	"time"
)

// Handler handles messages. It is called from many goroutines at a time.
type Handler interface {
	// Handle handles the messages of batch, all of one shard and, unless
	// CONSUMER_ORDER is none, all of different partition keys. Handlers without
	// BatchSize get one message at a time. A nil error means that all are
	// done. Failed means that only those it names are not. Any other error is
	// that of every message in the batch. A panic counts as an error.
	//
	// The slice must not be changed, and is used again after Handle has
	// returned. A Message, its strings
	// and its Data may be kept, but they keep all that was read with them in
	// memory: copy what is to stay.
	Handle(ctx context.Context, batch []Message) error
}

// BatchSizer is implemented by a Handler that wants more than one message at a
// time. The size is asked for once, at the start.
type BatchSizer interface {
	// BatchSize returns the most messages a batch may have, 1 or more.
	BatchSize() int
}

// Func makes a Handler of a function that handles one message.
type Func func(ctx context.Context, m Message) error

// Handle implements Handler.
func (f Func) Handle(ctx context.Context, batch []Message) error {
	for _, m := range batch { // one, as Func has no BatchSize
		if err := f(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// Message is one message: a Kinesis record, or one user record of a record
// that the Kinesis Producer Library has aggregated.
type Message struct {
	// Stream is the name of the stream, Shard the id of the shard.
	Stream, Shard string
	// Generation is the fencing token: it grows with every change of the
	// shard's reader. A sink that remembers the highest one it has seen for a
	// shard can refuse a reader that was replaced.
	Generation int64
	// Sequence is the record's sequence number, a decimal number of up to 128
	// digits, and SubSequence the place within an aggregated record.
	Sequence    string
	SubSequence int64
	// PartitionKey is the message's own, also within an aggregated record.
	PartitionKey string
	// ArrivedAt is when Kinesis took the record, to the millisecond.
	ArrivedAt time.Time
	// Data is the payload. It must not be changed.
	Data []byte
}

// ID names the message for ever: "<shard>/<sequence>/<sub>".
func (m *Message) ID() string {
	b := make([]byte, 0, len(m.Shard)+len(m.Sequence)+8)
	return string(m.AppendID(b))
}

// AppendID appends ID to b.
func (m *Message) AppendID(b []byte) []byte {
	b = append(b, m.Shard...)
	b = append(b, '/')
	b = append(b, m.Sequence...)
	b = append(b, '/')
	return strconv.AppendInt(b, m.SubSequence, 10)
}
