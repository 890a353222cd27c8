package kinesis

import (
	"bytes"
	"encoding/base64"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// entry is one record of a put request. Its text lies in the request's body, its
// data and key in memory of their own that the record keeps.
type entry struct {
	bytes  []byte // data, then partition key
	keyLen int
	hash   []byte // ExplicitHashKey; nil if there is none
	hasKey bool
	noData bool
}

func (e *entry) key() []byte { return e.bytes[len(e.bytes)-e.keyLen:] }

// slowEntry is an entry for encoding/json.
type slowEntry struct {
	Data            *[]byte
	PartitionKey    *string
	ExplicitHashKey *string
}

func (e *slowEntry) entry() entry {
	var out entry
	if out.noData = e.Data == nil; !out.noData {
		out.bytes = *e.Data
	}
	if out.hasKey = e.PartitionKey != nil; out.hasKey {
		out.bytes = append(out.bytes, *e.PartitionKey...)
		out.keyLen = len(*e.PartitionKey)
	}
	if e.ExplicitHashKey != nil {
		out.hash = []byte(*e.ExplicitHashKey)
	}
	return out
}

// decodePutRecords reads a PutRecords request. JSON as the SDKs write it is read
// without reflection and into one piece of memory; anything else, from escapes
// to errors, goes the slow way.
func decodePutRecords(r *wire.Request) (ref streamRef, entries []entry, dryRun bool, err error) {
	if r.Encoding != wire.CBOR {
		p := putParser{in: r.Body, arena: make([]byte, 0, base64.StdEncoding.DecodedLen(len(r.Body)))}
		if p.request() {
			return p.ref, p.entries, false, nil
		}
	}
	var in struct {
		streamRef
		Records []slowEntry
		DryRun  bool
	}
	if err := r.Decode(&in); err != nil {
		return in.streamRef, nil, false, err
	}
	entries = make([]entry, len(in.Records))
	for i := range in.Records {
		entries[i] = in.Records[i].entry()
	}
	return in.streamRef, entries, in.DryRun, nil
}

// putParser reads the common form of a PutRecords request. Its methods return
// false where they meet anything they do not know.
type putParser struct {
	in      []byte
	arena   []byte
	entries []entry
	ref     streamRef
}

func (p *putParser) space() {
	for len(p.in) > 0 && (p.in[0] == ' ' || p.in[0] == '\n' || p.in[0] == '\t' || p.in[0] == '\r') {
		p.in = p.in[1:]
	}
}

// is consumes one character if it is next.
func (p *putParser) is(c byte) bool {
	p.space()
	if len(p.in) == 0 || p.in[0] != c {
		return false
	}
	p.in = p.in[1:]
	return true
}

// text reads a string without escapes or control characters.
func (p *putParser) text() ([]byte, bool) {
	if !p.is('"') {
		return nil, false
	}
	end := bytes.IndexByte(p.in, '"')
	if end < 0 || bytes.IndexByte(p.in[:end], '\\') >= 0 {
		return nil, false
	}
	s := p.in[:end]
	p.in = p.in[end+1:]
	return s, true
}

// object reads an object, member by member.
func (p *putParser) object(member func(name []byte) bool) bool {
	if !p.is('{') {
		return false
	}
	if p.is('}') {
		return true
	}
	for {
		name, ok := p.text()
		if !ok || !p.is(':') || !member(name) {
			return false
		}
		if !p.is(',') {
			return p.is('}')
		}
	}
}

func (p *putParser) request() bool {
	ok := p.object(func(name []byte) bool {
		switch string(name) {
		case "Records":
			return p.entries == nil && p.records()
		case "StreamName":
			return p.name(&p.ref.StreamName)
		case "StreamARN":
			return p.name(&p.ref.StreamARN)
		}
		return false
	})
	p.space()
	return ok && len(p.in) == 0
}

func (p *putParser) name(into **string) bool {
	raw, ok := p.text()
	s := string(raw)
	*into = &s
	return ok
}

func (p *putParser) records() bool {
	if !p.is('[') {
		return false
	}
	p.entries = make([]entry, 0, maxPutRecords)
	for {
		if !p.entry() {
			return false
		}
		if !p.is(',') {
			return p.is(']')
		}
	}
}

func (p *putParser) entry() bool {
	var data, key, hash []byte
	ok := p.object(func(name []byte) (ok bool) {
		switch string(name) {
		case "Data":
			data, ok = p.text()
		case "PartitionKey":
			key, ok = p.text()
		case "ExplicitHashKey":
			hash, ok = p.text()
		}
		return ok
	})
	if !ok || data == nil || key == nil {
		return false
	}
	for _, c := range key {
		if c < 0x20 || c >= 0x80 { // UTF-8 is checked the slow way
			return false
		}
	}
	start := len(p.arena)
	arena, err := base64.StdEncoding.AppendDecode(p.arena, data)
	if err != nil {
		return false
	}
	p.arena = append(arena, key...)
	whole := p.arena[start:len(p.arena):len(p.arena)]
	p.entries = append(p.entries, entry{bytes: whole, keyLen: len(key), hash: hash, hasKey: true})
	return true
}
