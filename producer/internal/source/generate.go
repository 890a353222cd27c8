package source

import (
	"fmt"
	"io"
	"strconv"

	"github.com/google/uuid"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/message"
)

// Generator makes the messages {"foo":"bar","record":0} and so on.
type Generator struct {
	next, count int64
	size        int
	key         KeyFunc
	padding     []byte
}

// padKey begins the member that fills a message up to its size.
const padKey = `,"pad":"`

// NewGenerator returns a source of count messages (0: without end) of at least
// size bytes each. key finds their partition keys: where it cannot in one, it cannot
// in any, and that is an error of the source, not of the message.
func NewGenerator(count int64, size int, key KeyFunc) *Generator {
	g := &Generator{count: count, size: size, key: key}
	for range size {
		g.padding = append(g.padding, 'x')
	}
	return g
}

// Next returns the next message; its Position is its record number.
func (g *Generator) Next() (message.Message, error) {
	if g.count > 0 && g.next >= g.count {
		return message.Message{}, io.EOF
	}
	position := g.next
	g.next++
	data := make([]byte, 0, max(g.size, 40))
	data = append(data, `{"foo":"bar","record":`...)
	data = strconv.AppendInt(data, position, 10)
	if missing := g.size - len(data) - len(padKey) - len(`"}`); missing >= 0 {
		data = append(data, padKey...)
		data = append(data, g.padding[:missing]...)
		data = append(data, '"')
	}
	data = append(data, '}')
	key, err := g.key(data)
	if err != nil {
		return message.Message{}, fmt.Errorf("find the key of generated messages: %w", err)
	}
	return message.Message{Data: data, Key: key, Position: position}, nil
}

func newKey(random io.Reader) (string, error) {
	id, err := uuid.NewRandomFromReader(random)
	if err != nil {
		return "", err
	}
	return id.String(), nil
}
