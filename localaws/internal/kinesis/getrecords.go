package kinesis

import (
	"context"
	"encoding/base64"
	"math"
	"strconv"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// Limits of one GetRecords call.
const (
	maxGetRecords = 10000
	maxGetBytes   = 10 << 20
	// fullReadPause is how long the service refuses to read a shard after a call
	// that returned maxGetBytes, in milliseconds.
	fullReadPause = 5000
)

type getRecordsInput struct {
	ShardIterator *string
	StreamARN     *string
	Limit         *int
	DryRun        bool
}

func (s *Service) getRecords(_ context.Context, r *wire.Request) (any, error) {
	var in getRecordsInput
	if err := r.Decode(&in); err != nil {
		return nil, err
	}
	now, tuning := s.now(), s.tuned()
	it, st, err := s.checkGetRecords(&in, now, tuning.IteratorMS)
	if err != nil {
		return nil, err
	}
	sh, horizon, err := st.shardOf(it, now)
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		return nil, dryRunDone()
	}
	if tuning.Enforce && !sh.mayRead(&tuning, now) {
		return nil, throttled(sh.id, st.name)
	}
	limit := maxGetRecords
	if in.Limit != nil {
		limit = *in.Limit
	}
	if r.Empty {
		limit = 0
	}
	b := sh.read(it.index, limit, maxGetBytes, horizon, now, false)
	if tuning.Enforce {
		sh.charge(b.bytes, now)
	}
	r.Usage.Records, r.Usage.Bytes = int64(len(b.records)), int64(b.bytes)
	it.index, it.issued = b.next, now
	out := &getRecordsOutput{batch: b}
	if !b.ended {
		out.next = it.String()
	}
	return out, nil
}

func (s *Service) checkGetRecords(in *getRecordsInput, now, life int64) (it iterator, st *stream, err error) {
	var c checks
	if required(&c, "shardIterator", in.ShardIterator) {
		c.text("shardIterator", in.ShardIterator, 512, nil)
	}
	c.between("limit", in.Limit, 1, math.MaxInt)
	if err := c.err(); err != nil {
		return it, nil, err
	}
	if in.Limit != nil && *in.Limit > maxGetRecords {
		return it, nil, invalid("Limit %d is greater than %d.", *in.Limit, maxGetRecords)
	}
	it, ok := parseIterator(*in.ShardIterator)
	if !ok {
		return it, nil, invalid("Invalid ShardIterator.")
	}
	if err := it.expired(now, life); err != nil {
		return it, nil, err
	}
	ref := streamRef{StreamName: &it.stream, StreamARN: in.StreamARN}
	st, err = s.lookup(ref)
	if err == nil && st.created != it.streamCreated {
		err = notFound(it.stream)
	}
	return it, st, err
}

// shardOf finds the shard of an iterator, and the time from which on records are
// kept.
func (st *stream) shardOf(it iterator, now int64) (sh *shard, horizon int64, err error) {
	st.mu.RLock()
	defer st.mu.RUnlock()
	if st.gone {
		return nil, 0, notFound(st.name)
	}
	sh, err = st.shard(shardID(it.shard), now)
	return sh, st.horizon(now), err
}

// mayRead applies the limits of reads; what the read is to cost is not yet known,
// so it only has to begin while something is left.
func (s *shard) mayRead(t *Tuning, now int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.reads.has(1, t.ReadsPerSecond, now) || !s.readBytes.positive(t.ReadBytesPerSecond, now) {
		return false
	}
	s.reads.take(1)
	return true
}

func (s *shard) charge(bytes int, now int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readBytes.take(float64(bytes))
	if bytes >= maxGetBytes*9/10 {
		s.readBytes.blocked = now + fullReadPause
	}
}

// childShard is a shard that follows on one that has ended.
type childShard struct {
	ShardID      string       `json:"ShardId"`
	ParentShards []string     `json:"ParentShards"`
	HashKeyRange hashKeyRange `json:"HashKeyRange"`
}

// childShards of an ended shard, nil for any other.
func (b *batch) childShards() []childShard {
	if !b.ended {
		return nil
	}
	b.shard.mu.Lock()
	defer b.shard.mu.Unlock()
	list := make([]childShard, 0, len(b.shard.children))
	for _, child := range b.shard.children {
		c := childShard{ShardID: child.id, ParentShards: []string{child.parent}, HashKeyRange: describeRange(child.keys)}
		if child.adjacent != "" {
			c.ParentShards = append(c.ParentShards, child.adjacent)
		}
		list = append(list, c)
	}
	return list
}

// getRecordsOutput implements wire.Appender.
type getRecordsOutput struct {
	batch
	next string // "" at the end of the shard
}

// AppendJSON implements wire.Appender.
func (o *getRecordsOutput) AppendJSON(dst []byte) []byte {
	dst = o.appendRecordsJSON(append(dst, '{'))
	dst = append(dst, `,"MillisBehindLatest":`...)
	dst = strconv.AppendInt(dst, o.behind.Milliseconds(), 10)
	dst = append(dst, `,"NextShardIterator":`...)
	if o.ended {
		dst = append(dst, `null`...)
		return append(o.appendChildrenJSON(dst), '}')
	}
	return append(appendQuoted(dst, o.next), '}')
}

// appendChildrenJSON appends the member ChildShards, with the comma before it.
func (b *batch) appendChildrenJSON(dst []byte) []byte {
	dst = append(dst, `,"ChildShards":[`...)
	for i, c := range b.childShards() {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"ShardId":"`...)
		dst = append(dst, c.ShardID...)
		dst = append(dst, `","ParentShards":[`...)
		for j, p := range c.ParentShards {
			if j > 0 {
				dst = append(dst, ',')
			}
			dst = appendQuoted(dst, p)
		}
		dst = append(dst, `],"HashKeyRange":{"StartingHashKey":"`...)
		dst = append(dst, c.HashKeyRange.StartingHashKey...)
		dst = append(dst, `","EndingHashKey":"`...)
		dst = append(dst, c.HashKeyRange.EndingHashKey...)
		dst = append(dst, `"}}`...)
	}
	return append(dst, ']')
}

// appendRecordsJSON appends the member Records.
func (b *batch) appendRecordsJSON(dst []byte) []byte {
	dst = append(dst, `"Records":[`...)
	for i := range b.records {
		rec := &b.records[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"ApproximateArrivalTimestamp":`...)
		dst = wire.AppendTimeJSON(dst, millis(rec.arrival))
		dst = append(dst, `,"Data":"`...)
		dst = base64.StdEncoding.AppendEncode(dst, rec.data())
		dst = append(dst, `","PartitionKey":`...)
		dst = appendQuoted(dst, rec.key())
		if rec.kms {
			dst = append(dst, `,"EncryptionType":"KMS"`...)
		}
		dst = append(dst, `,"SequenceNumber":"`...)
		dst = b.shard.sequence(b.index+uint64(i), rec.arrival).append(dst)
		dst = append(dst, `"}`...)
	}
	return append(dst, ']')
}

// AppendCBOR implements wire.Appender.
func (o *getRecordsOutput) AppendCBOR(dst []byte) []byte {
	if o.ended {
		dst = o.appendRecordsCBOR(wire.AppendMap(dst, 3))
		dst = wire.AppendInt(wire.AppendText(dst, "MillisBehindLatest"), o.behind.Milliseconds())
		return o.appendChildrenCBOR(dst)
	}
	dst = o.appendRecordsCBOR(wire.AppendMap(dst, 3))
	dst = wire.AppendInt(wire.AppendText(dst, "MillisBehindLatest"), o.behind.Milliseconds())
	return wire.AppendText(wire.AppendText(dst, "NextShardIterator"), o.next)
}

func (b *batch) appendChildrenCBOR(dst []byte) []byte {
	children := b.childShards()
	dst = wire.AppendArray(wire.AppendText(dst, "ChildShards"), len(children))
	for _, c := range children {
		dst = wire.AppendText(wire.AppendText(wire.AppendMap(dst, 3), "ShardId"), c.ShardID)
		dst = wire.AppendArray(wire.AppendText(dst, "ParentShards"), len(c.ParentShards))
		for _, p := range c.ParentShards {
			dst = wire.AppendText(dst, p)
		}
		dst = wire.AppendMap(wire.AppendText(dst, "HashKeyRange"), 2)
		dst = wire.AppendText(wire.AppendText(dst, "StartingHashKey"), c.HashKeyRange.StartingHashKey)
		dst = wire.AppendText(wire.AppendText(dst, "EndingHashKey"), c.HashKeyRange.EndingHashKey)
	}
	return dst
}

func (b *batch) appendRecordsCBOR(dst []byte) []byte {
	dst = wire.AppendArray(wire.AppendText(dst, "Records"), len(b.records))
	var digits [sequenceDigits]byte
	for i := range b.records {
		rec := &b.records[i]
		members := 4
		if rec.kms {
			members++
		}
		dst = wire.AppendMap(dst, members)
		dst = wire.AppendTime(wire.AppendText(dst, "ApproximateArrivalTimestamp"), millis(rec.arrival))
		dst = wire.AppendBytes(wire.AppendText(dst, "Data"), rec.data())
		dst = wire.AppendText(wire.AppendText(dst, "PartitionKey"), rec.key())
		if rec.kms {
			dst = wire.AppendText(wire.AppendText(dst, "EncryptionType"), "KMS")
		}
		dst = wire.AppendText(wire.AppendText(dst, "SequenceNumber"), b.shard.sequence(b.index+uint64(i), rec.arrival).append(digits[:0]))
	}
	return dst
}
