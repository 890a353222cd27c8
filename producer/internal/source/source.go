// Package source makes or reads the messages to deliver: generated ones, or
// the lines of a stream such as standard input.
package source

import (
	"fmt"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/message"
)

// Source yields messages one after the other. Next returns io.EOF after the
// last, a *BadMessage for one that cannot be sent (the next call goes on behind
// it), and any other error when the source is broken. Not safe for concurrent use.
type Source interface {
	Next() (message.Message, error)
}

// BadMessage says why one message cannot be sent.
type BadMessage struct {
	Position int64
	Reason   string
}

func (b *BadMessage) Error() string { return fmt.Sprintf("message %d: %s", b.Position, b.Reason) }
