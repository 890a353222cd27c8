package source

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/message"
)

// Formats of a line.
const (
	Lines  = "lines"  // the line is the message, byte for byte, without its newline
	Base64 = "base64" // the line is the message in standard base64, for binary
)

// readBuffer is how much of the input is read ahead, at most.
const readBuffer = 64 << 10

// LineReader reads one message a line. Only the newline byte ends a line, and a
// last line without one counts. A line above the limit is skipped without being
// held in memory.
type LineReader struct {
	in     *bufio.Reader
	format string
	key    KeyFunc
	limit  int
	line   int64
	long   []byte // the line in parts, when it is longer than the read buffer
}

// NewLineReader returns a source of the lines of in. limit is the largest
// message, key included, in bytes.
func NewLineReader(in io.Reader, format string, key KeyFunc, limit int) *LineReader {
	return &LineReader{in: bufio.NewReaderSize(in, readBuffer), format: format, key: key, limit: limit}
}

// Next returns the next message; its Position is its line number, from 1.
func (r *LineReader) Next() (message.Message, error) {
	line, size, err := r.read()
	if err != nil {
		return message.Message{}, err
	}
	if line == nil {
		return message.Message{}, r.tooLarge(size)
	}
	data, err := r.decode(line)
	if err != nil {
		return message.Message{}, &BadMessage{Position: r.line, Reason: err.Error()}
	}
	key, err := r.key(data)
	if err != nil {
		return message.Message{}, &BadMessage{Position: r.line, Reason: err.Error()}
	}
	if size := len(data) + len(key); size > r.limit {
		return message.Message{}, r.tooLarge(int64(size))
	}
	return message.Message{Data: data, Key: key, Position: r.line}, nil
}

// tooLarge reports a message above the limit.
func (r *LineReader) tooLarge(size int64) error {
	return &BadMessage{Position: r.line, Reason: fmt.Sprintf("%d bytes with its key; the stream takes at most %d", size, r.limit)}
}

// read returns the next line without its newline, valid until the next call,
// or nil and its size when it is too long to be a message.
func (r *LineReader) read() (line []byte, size int64, err error) {
	r.long = r.long[:0]
	bound := r.limit
	if r.format == Base64 {
		bound = base64.StdEncoding.EncodedLen(r.limit) + len("\r")
	}
	for {
		part, err := r.in.ReadSlice('\n')
		size += int64(len(part))
		done := err == nil
		switch {
		case done:
			part, size = part[:len(part)-1], size-1
		case errors.Is(err, io.EOF):
			if size == 0 {
				return nil, 0, io.EOF
			}
			done = true
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, 0, fmt.Errorf("read line %d: %w", r.line+1, err)
		}
		if done && len(r.long) == 0 && size == int64(len(part)) && size <= int64(bound) {
			r.line++
			return part, size, nil
		}
		if size <= int64(bound) {
			r.long = append(r.long, part...)
		}
		if done {
			r.line++
			if size > int64(bound) {
				return nil, size, nil
			}
			return r.long, size, nil
		}
	}
}

// decode returns the message of a line in memory of its own.
func (r *LineReader) decode(line []byte) ([]byte, error) {
	if r.format != Base64 {
		return append(make([]byte, 0, len(line)), line...), nil
	}
	line = bytes.TrimSuffix(line, []byte("\r"))
	encoding := base64.StdEncoding
	if len(line)%4 != 0 {
		encoding = base64.RawStdEncoding
	}
	data := make([]byte, encoding.DecodedLen(len(line)))
	n, err := encoding.Decode(data, line)
	if err != nil {
		return nil, errors.New("not valid base64")
	}
	return data[:n], nil
}
