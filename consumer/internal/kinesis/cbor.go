package kinesis

import (
	"encoding/base64"
	"unsafe"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/cbor"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/reader"
)

// DecodeCBOR reads the body of an answer to GetRecords in the encoding in which
// the SDK for Java calls Kinesis, where Data is bytes, not base64. It takes the
// body over: the Batch's strings and Data are parts of it.
//
// With anything that it does not understand wholly ok is false, and the answer
// is to be asked for in JSON. Of members that it does not know it takes no
// notice, as the SDK does in JSON. Differential fuzz tests compare it with
// another decoder, and with what the SDK makes of the same records in JSON.
func DecodeCBOR(body []byte) (b *reader.Batch, ok bool) {
	d := answer{cbor.New(body)}
	b = &reader.Batch{}
	seen := members(0)
	ok = d.Map(func(key []byte) bool {
		switch string(key) {
		case "Records":
			return seen.first(hasRecords) && d.records(b)
		case "NextShardIterator":
			return seen.first(hasNext) && d.optional(&b.Next)
		case "MillisBehindLatest":
			return seen.first(hasBehind) && d.behind(b)
		case "ChildShards":
			return seen.first(hasChildren) && d.children(b)
		}
		return d.Skip()
	})
	return b, ok && seen&hasRecords != 0 && d.Done()
}

// members are those of an object that were seen; none may come twice.
type members int

// Of an answer; those of a record are beside the JSON decoder.
const (
	hasRecords members = 1 << iota
	hasNext
	hasBehind
	hasChildren
)

func (m *members) first(member members) bool {
	again := *m&member != 0
	*m |= member
	return !again
}

// answer reads the parts of an answer. As the Reader's, its methods return false
// at anything unexpected.
type answer struct{ *cbor.Reader }

// text reads a text that shares the body's memory.
func (d answer) text(s *string) bool {
	t, ok := d.Text()
	*s = unsafe.String(unsafe.SliceData(t), len(t)) //nolint:gosec // nothing writes to a body that was read
	return ok
}

func (d answer) optional(s *string) bool { return d.Null() || d.text(s) }

func (d answer) behind(b *reader.Batch) (ok bool) {
	if d.Null() {
		return true
	}
	b.BehindMS, ok = d.Int()
	return ok
}

func (d answer) records(b *reader.Batch) bool {
	// A record takes some 170 bytes beside its data, and an answer has 10000 at most.
	room := func(n uint64) {
		likely := uint64(d.Left()/200 + 1)
		if n == 0 || n > 2*likely {
			n = likely
		}
		b.Records = make([]reader.Record, 0, min(n, 10000))
	}
	return d.Array(room, func() bool {
		var r reader.Record
		if !d.record(&r) {
			return false
		}
		b.Payload += int64(len(r.Data) + len(r.PartitionKey))
		b.Records = append(b.Records, r)
		return true
	})
}

func (d answer) record(r *reader.Record) bool {
	seen := members(0)
	return d.Map(func(key []byte) (ok bool) {
		switch string(key) {
		case "SequenceNumber":
			return seen.first(hasSequence) && d.text(&r.Sequence)
		case "PartitionKey":
			return seen.first(hasKey) && d.text(&r.PartitionKey)
		case "Data":
			r.Data, ok = d.data()
			return ok && seen.first(hasData)
		case "ApproximateArrivalTimestamp":
			if d.Null() {
				return seen.first(hasArrival)
			}
			r.Arrived, ok = d.Time()
			return ok && seen.first(hasArrival)
		}
		return d.Skip()
	}) && seen&(hasSequence|hasKey|hasData) == hasSequence|hasKey|hasData
}

// data reads bytes, or text, which is base64 then: kinesis-local answers so, and
// the SDK for Java reads both.
func (d answer) data() ([]byte, bool) {
	if !d.IsText() {
		return d.Bytes()
	}
	text, ok := d.Text()
	if !ok {
		return nil, false
	}
	data, err := base64.StdEncoding.AppendDecode(nil, text)
	return data, err == nil
}

func (d answer) children(b *reader.Batch) bool {
	if d.Null() {
		return true
	}
	return d.Array(func(uint64) {}, func() bool {
		var c contract.ChildShard
		if !d.child(&c) || c.Shard == "" {
			return false
		}
		b.Children = append(b.Children, c)
		return true
	})
}

func (d answer) child(c *contract.ChildShard) bool {
	return d.Map(func(key []byte) bool {
		switch string(key) {
		case "ShardId":
			return d.text(&c.Shard)
		case "ParentShards":
			return d.Null() || d.Array(func(uint64) {}, func() bool {
				var parent string
				ok := d.text(&parent)
				c.Parents = append(c.Parents, parent)
				return ok
			})
		case "HashKeyRange":
			return d.Null() || d.hashKeyRange(c)
		}
		return d.Skip()
	})
}

func (d answer) hashKeyRange(c *contract.ChildShard) bool {
	c.HashKeyRange = &contract.HashKeyRange{}
	return d.Map(func(key []byte) bool {
		switch string(key) {
		case "StartingHashKey":
			return d.text(&c.HashKeyRange.Start)
		case "EndingHashKey":
			return d.text(&c.HashKeyRange.End)
		}
		return d.Skip()
	})
}
