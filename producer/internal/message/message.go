// Package message defines what the producer carries: one message, its
// partition key, and where it came from.
package message

// Overhead is what a buffered message costs in memory beside its bytes, for
// the budget: the structs, queue slots and allocator rounding.
const Overhead = 256

// Message is one message to deliver. Data is not changed by anybody after it
// was handed on.
type Message struct {
	Data []byte
	Key  string
	// Position tells the operator which message it is: the generated record's
	// number, or the line number on standard input, counted from 1.
	Position int64
}

// Size is what the service counts against its limits: data and partition key.
func (m Message) Size() int { return len(m.Data) + len(m.Key) }
