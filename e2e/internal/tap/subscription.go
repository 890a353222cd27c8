package tap

import (
	"bytes"
	"encoding/binary"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
)

// subscription is the body of an answer to SubscribeToShard. It writes each of
// the events down as a read when it passes. One goroutine reads it.
type subscription struct {
	io.ReadCloser
	tap     *Tap
	call    call
	partial bytes.Buffer // what is not a whole event yet
}

// prelude is how much of an event tells its length, and the least there is of one.
const prelude, leastEvent = 4, 16

func (s *subscription) Read(p []byte) (int, error) {
	n, err := s.ReadCloser.Read(p)
	_, _ = s.partial.Write(p[:n])
	for s.partial.Len() >= leastEvent {
		length := int(binary.BigEndian.Uint32(s.partial.Bytes()[:prelude]))
		if length > s.partial.Len() {
			break
		}
		s.passed(s.partial.Next(max(length, leastEvent)))
	}
	return n, err
}

// passed writes one event down. An exception is a read that failed, and so is
// what cannot be understood.
func (s *subscription) passed(event []byte) {
	now := time.Now()
	r := Read{Shard: s.call.shard, Client: s.call.client, Sent: now, Done: now}
	message, err := eventstream.NewDecoder().Decode(bytes.NewReader(event), nil)
	switch header := message.Headers.Get; {
	case err != nil:
	case is(header(":event-type"), "initial-response"):
		r.Sent, r.OK = s.call.sent, true
	case is(header(":event-type"), "SubscribeToShardEvent"):
		r.Records, r.Ended, r.OK = s.event(message)
	}
	s.tap.add(r)
}

// event tells how many records an event brings, and whether it is the last of
// its shard.
func (s *subscription) event(message eventstream.Message) (records int, ended, ok bool) {
	var out struct {
		Records                    []skipped
		ContinuationSequenceNumber string
	}
	encoding := http.Header{}
	if v := message.Headers.Get(":content-type"); v != nil {
		encoding.Set("Content-Type", v.String())
	}
	ok = read(message.Payload, encoding, &out) == nil
	return len(out.Records), ok && out.ContinuationSequenceNumber == "", ok
}

func is(v eventstream.Value, want string) bool { return v != nil && v.String() == want }
