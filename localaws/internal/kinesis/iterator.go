package kinesis

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// Iterator types, also the starting positions of subscriptions.
const (
	atSequence    = "AT_SEQUENCE_NUMBER"
	afterSequence = "AFTER_SEQUENCE_NUMBER"
	trimHorizon   = "TRIM_HORIZON"
	latest        = "LATEST"
	atTimestamp   = "AT_TIMESTAMP"
)

// iterator is the place in a shard from which to read next.
type iterator struct {
	stream        string
	streamCreated int64
	shard         uint32
	index         uint64
	issued        int64 // milliseconds
}

// String is the opaque text a client sees: base64 of a fixed part, the stream's
// name and a checksum.
func (it iterator) String() string {
	raw := make([]byte, 8, 64+len(it.stream)) // zeros, as the service's iterators begin with AAAAAAAAAA
	raw = binary.BigEndian.AppendUint64(raw, uint64(it.streamCreated))
	raw = binary.BigEndian.AppendUint32(raw, it.shard)
	raw = binary.BigEndian.AppendUint64(raw, it.index)
	raw = binary.BigEndian.AppendUint64(raw, uint64(it.issued))
	raw = append(raw, it.stream...)
	raw = binary.BigEndian.AppendUint32(raw, crc32.ChecksumIEEE(raw))
	return base64.StdEncoding.EncodeToString(raw)
}

func parseIterator(text string) (it iterator, ok bool) {
	const fixed = 8 + 8 + 4 + 8 + 8
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) <= fixed+4 {
		return iterator{}, false
	}
	body, sum := raw[:len(raw)-4], binary.BigEndian.Uint32(raw[len(raw)-4:])
	if crc32.ChecksumIEEE(body) != sum {
		return iterator{}, false
	}
	return iterator{
		streamCreated: int64(binary.BigEndian.Uint64(body[8:])),
		shard:         binary.BigEndian.Uint32(body[16:]),
		index:         binary.BigEndian.Uint64(body[20:]),
		issued:        int64(binary.BigEndian.Uint64(body[28:])),
		stream:        string(body[fixed:]),
	}, true
}

// position is where to begin, as GetShardIterator and SubscribeToShard say it.
type position struct {
	kind      string
	sequence  *string
	timestamp *wire.Time
	operation string // for messages
}

type getShardIteratorInput struct {
	streamRef
	ShardId                *string
	ShardIteratorType      *string
	StartingSequenceNumber *string
	Timestamp              *wire.Time
	DryRun                 bool
}

func (s *Service) getShardIterator(_ context.Context, r *wire.Request) (any, error) {
	var in getShardIteratorInput
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	var c checks
	if required(&c, "shardId", in.ShardId) {
		c.text("shardId", in.ShardId, 128, s.patterns.name)
	}
	if required(&c, "shardIteratorType", in.ShardIteratorType) {
		c.oneOf("shardIteratorType", in.ShardIteratorType, afterSequence, latest, atTimestamp, atSequence, trimHorizon)
	}
	c.text("startingSequenceNumber", in.StartingSequenceNumber, 129, s.patterns.sequence)
	if err := c.err(); err != nil {
		return nil, err
	}
	st, err := s.lookup(in.streamRef)
	if err != nil {
		return nil, err
	}
	now := s.now()
	p := position{kind: *in.ShardIteratorType, sequence: in.StartingSequenceNumber, timestamp: in.Timestamp, operation: "GetShardIterator"}
	sh, index, err := st.resolve(*in.ShardId, p, now)
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		return nil, dryRunDone()
	}
	if t := s.tuned(); t.Enforce && !sh.mayIterate(t.ReadsPerSecond, now) {
		return nil, throttled(sh.id, st.name)
	}
	it := iterator{stream: st.name, streamCreated: st.created, shard: sh.number, index: index, issued: now}
	return map[string]string{"ShardIterator": it.String()}, nil
}

func (s *shard) mayIterate(rate int, now int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.iterators.has(1, rate, now) {
		return false
	}
	s.iterators.take(1)
	return true
}

// resolve finds the shard and the index a position means.
func (st *stream) resolve(shardID string, p position, now int64) (*shard, uint64, error) {
	st.mu.RLock()
	defer st.mu.RUnlock()
	if status := st.status(now); status != statusActive && status != statusUpdating {
		return nil, 0, notFound(st.name)
	}
	sh, err := st.shard(shardID, now)
	if err != nil {
		return nil, 0, err
	}
	index, err := sh.locate(p, st.name, st.horizon(now), now)
	return sh, index, err
}

func (s *shard) locate(p position, stream string, horizon, now int64) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trim(horizon)
	switch p.kind {
	case latest:
		return s.next(), nil
	case atTimestamp:
		if p.timestamp == nil {
			return 0, invalid("Must either specify timestamp or choose a different ShardIteratorType than AT_TIMESTAMP.")
		}
		at := p.timestamp.UnixMilli()
		if at > now {
			return 0, invalid("The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. timestampInMillis: %d, currentTimestampInMillis: %d", at, now)
		}
		return s.first + uint64(s.search(at)), nil
	case atSequence, afterSequence:
		return s.locateSequence(p, stream)
	}
	return s.first, nil
}

func (s *shard) locateSequence(p position, stream string) (uint64, error) {
	if p.sequence == nil {
		return 0, invalid("Must either specify startingSequenceNumber or choose a different ShardIteratorType than %s.", p.kind)
	}
	seq, ok := parseSequence(*p.sequence)
	switch {
	case !ok || seq.shard == s.number && seq.created != s.created:
		return 0, invalid("StartingSequenceNumber %s used in %s on shard %s in stream %s under account %s is invalid because it did not come from this stream.",
			*p.sequence, p.operation, s.id, stream, wire.Account)
	case seq.shard != s.number:
		return 0, invalid("Invalid StartingSequenceNumber. It encodes %s, while it was used in a call to a shard with %s", shardID(seq.shard), s.id)
	case seq.index >= s.next() && seq.index != lastIndex:
		return 0, invalid("StartingSequenceNumber %s used in %s on shard %s in stream %s under account %s is invalid because it is beyond the tip of the shard.",
			*p.sequence, p.operation, s.id, stream, wire.Account)
	}
	index := seq.index
	if p.kind == afterSequence && index < lastIndex {
		index++
	}
	return min(max(index, s.first), s.next()), nil
}

// expired words the error of an old iterator.
func (it *iterator) expired(now, life int64) error {
	if now-it.issued <= life {
		return nil
	}
	const format = "Mon Jan 02 15:04:05 MST 2006"
	return wire.Errorf(codeExpiredIterator,
		"Iterator expired. The iterator was created at time %s while right now it is %s which is further in the future than the tolerated delay of %d milliseconds.",
		millis(it.issued).Format(format), millis(now).Format(format), life)
}
