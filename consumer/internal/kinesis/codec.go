package kinesis

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"strconv"
	"time"
	"unsafe"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/reader"
)

// Decode reads the body of an answer to GetRecords as the SDK does, in less
// time (BenchmarkDecode compares the two), and gives the same: a differential
// fuzz test compares that. It takes the body over: the Batch's strings and Data are parts of it, Data
// decoded in place.
//
// It reads the JSON that Kinesis writes. With any other, valid or not, ok is
// false and the body is unchanged, for the SDK to read. An error means that
// some Data is no base64, which is an error to the SDK too.
func Decode(body []byte) (b *reader.Batch, ok bool, err error) {
	p := parser{body: body}
	b = &reader.Batch{}
	if !p.answer(b) {
		return nil, false, nil
	}
	for i := range b.Records {
		if b.Records[i].Data, err = decodeInPlace(b.Records[i].Data); err != nil {
			return nil, true, err
		}
	}
	return b, true, nil
}

// parser reads one answer. Its methods return false at anything unexpected.
type parser struct {
	body []byte
	at   int
}

func (p *parser) answer(b *reader.Batch) bool {
	records := false
	seen := map[string]bool{}
	ok := p.object(func(key []byte) bool {
		if seen[string(key)] {
			return false
		}
		seen[string(key)] = true
		switch string(key) {
		case "Records":
			records = true
			return p.records(b)
		case "NextShardIterator":
			if p.null() {
				return true
			}
			s, ok := p.text()
			b.Next = s
			return ok
		case "MillisBehindLatest":
			n, ok := p.integer()
			b.BehindMS = n
			return ok
		case "ChildShards":
			return p.children(b)
		}
		return false
	})
	p.space()
	return ok && records && p.at == len(p.body)
}

func (p *parser) records(b *reader.Batch) bool {
	if p.null() {
		return false
	}
	// A record takes some 200 bytes beside its data.
	b.Records = make([]reader.Record, 0, min(10000, (len(p.body)-p.at)/240+1))
	return p.array(func() bool {
		var r reader.Record
		if !p.record(&r) {
			return false
		}
		b.Payload += int64(len(r.Data)/4*3 + len(r.PartitionKey))
		b.Records = append(b.Records, r)
		return true
	})
}

// The members of a record, to see that none comes twice.
const (
	hasSequence members = 1 << iota
	hasKey
	hasArrival
	hasData
	hasEncryption
)

func (p *parser) record(r *reader.Record) bool {
	seen := members(0)
	return p.object(func(key []byte) (ok bool) {
		switch string(key) {
		case "SequenceNumber":
			r.Sequence, ok = p.text()
			return ok && seen.first(hasSequence)
		case "PartitionKey":
			r.PartitionKey, ok = p.text()
			return ok && seen.first(hasKey)
		case "ApproximateArrivalTimestamp":
			r.Arrived, ok = p.timestamp()
			return ok && seen.first(hasArrival)
		case "Data":
			r.Data, ok = p.base64()
			return ok && seen.first(hasData)
		case "EncryptionType":
			if p.null() {
				return seen.first(hasEncryption)
			}
			_, ok = p.text()
			return ok && seen.first(hasEncryption)
		}
		return false
	}) && seen&(hasSequence|hasKey|hasData) == hasSequence|hasKey|hasData
}

// children reads ChildShards by encoding/json: they come once in a shard's life.
func (p *parser) children(b *reader.Batch) bool {
	p.space()
	d := json.NewDecoder(bytes.NewReader(p.body[p.at:]))
	var list []struct {
		ShardId      *string
		ParentShards []string
		HashKeyRange *struct{ StartingHashKey, EndingHashKey string }
	}
	if p.at == len(p.body) || p.body[p.at] != '[' || d.Decode(&list) != nil {
		return false
	}
	for _, c := range list {
		if c.ShardId == nil {
			return false
		}
		child := contract.ChildShard{Shard: *c.ShardId, Parents: c.ParentShards}
		if h := c.HashKeyRange; h != nil {
			child.HashKeyRange = &contract.HashKeyRange{Start: h.StartingHashKey, End: h.EndingHashKey}
		}
		b.Children = append(b.Children, child)
	}
	p.at += int(d.InputOffset())
	return true
}

// object reads an object; member is called after each key.
func (p *parser) object(member func(key []byte) bool) bool {
	if !p.expect('{') {
		return false
	}
	if p.expect('}') {
		return true
	}
	for {
		key, ok := p.quoted()
		if !ok || !p.expect(':') || !member(key) {
			return false
		}
		if p.expect(',') {
			continue
		}
		return p.expect('}')
	}
}

func (p *parser) array(item func() bool) bool {
	if !p.expect('[') {
		return false
	}
	if p.expect(']') {
		return true
	}
	for {
		if !item() {
			return false
		}
		if p.expect(',') {
			continue
		}
		return p.expect(']')
	}
}

func (p *parser) space() {
	for p.at < len(p.body) {
		switch p.body[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

func (p *parser) expect(c byte) bool {
	p.space()
	if p.at < len(p.body) && p.body[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *parser) null() bool {
	p.space()
	if bytes.HasPrefix(p.body[p.at:], []byte("null")) {
		p.at += len("null")
		return true
	}
	return false
}

// quoted returns what is between two quotes, which has no escapes and no
// control characters.
func (p *parser) quoted() ([]byte, bool) {
	if !p.expect('"') {
		return nil, false
	}
	n := bytes.IndexByte(p.body[p.at:], '"')
	if n < 0 {
		return nil, false
	}
	s := p.body[p.at : p.at+n]
	if !plain(s) {
		return nil, false
	}
	p.at += n + 1
	return s, true
}

// plain tells whether s has neither backslashes nor control characters. It
// looks at eight bytes at a time: see "Determine if a word has a byte less than
// n", Bit Twiddling Hacks.
func plain(s []byte) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for len(s) >= 8 {
		w := binary.LittleEndian.Uint64(s)
		slash := w ^ ones*'\\'
		if ((w-ones*' ')&^w|(slash-ones)&^slash)&highs != 0 {
			return false
		}
		s = s[8:]
	}
	for _, c := range s {
		if c < ' ' || c == '\\' {
			return false
		}
	}
	return true
}

// alias returns a string that shares s's memory. Nothing writes to that part of
// a body any more: data is decoded over its own text only.
func alias(s []byte) string {
	return unsafe.String(unsafe.SliceData(s), len(s)) //nolint:gosec // see above
}

// text returns a string, which shares the body's memory unless it has escapes.
func (p *parser) text() (string, bool) {
	if s, ok := p.quoted(); ok {
		return alias(s), true
	}
	if p.at == 0 || p.at > len(p.body) || p.body[p.at-1] != '"' {
		return "", false
	}
	start := p.at - 1
	for i := p.at; i < len(p.body); i++ {
		switch p.body[i] {
		case '\\':
			i++
		case '"':
			var s string
			if json.Unmarshal(p.body[start:i+1], &s) != nil {
				return "", false
			}
			p.at = i + 1
			return s, true
		}
	}
	return "", false
}

// base64 returns the text of a blob, for decodeInPlace. There may be anything
// in it but a quote: a quote that is escaped is no base64 in any case.
func (p *parser) base64() ([]byte, bool) {
	if !p.expect('"') {
		return nil, false
	}
	n := bytes.IndexByte(p.body[p.at:], '"')
	if n < 0 {
		return nil, false
	}
	s := p.body[p.at : p.at+n]
	p.at += n + 1
	return s, true
}

// integer reads a whole number of up to 18 digits.
func (p *parser) integer() (int64, bool) {
	s, ok := p.number()
	if !ok || len(s) > 18 {
		return 0, false
	}
	n, err := strconv.ParseInt(alias(s), 10, 64)
	return n, err == nil
}

// timestamp reads seconds since 1970, to the millisecond, as the SDK does: as
// a float64 whose product with 1000 is cut to a whole number.
func (p *parser) timestamp() (time.Time, bool) {
	s, ok := p.number()
	if !ok {
		return time.Time{}, false
	}
	f, err := strconv.ParseFloat(alias(s), 64)
	if err != nil || f < 0 || f > 1e11 {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(f * 1000)).UTC(), true
}

// number returns the text of a number without sign that JSON allows.
func (p *parser) number() ([]byte, bool) {
	p.space()
	start := p.at
	for p.at < len(p.body) {
		switch c := p.body[p.at]; {
		case c >= '0' && c <= '9', c == '.', c == 'e', c == 'E', c == '+', c == '-':
			p.at++
			continue
		}
		break
	}
	s := p.body[start:p.at]
	if len(s) == 0 || s[0] < '0' || s[0] > '9' || (s[0] == '0' && len(s) > 1 && s[1] >= '0' && s[1] <= '9') {
		return nil, false
	}
	if i := bytes.IndexByte(s, '.'); i >= 0 && (i+1 == len(s) || s[i+1] < '0' || s[i+1] > '9') {
		return nil, false
	}
	return s, true
}
