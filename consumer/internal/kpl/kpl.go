// Package kpl unpacks records that the Kinesis Producer Library has
// aggregated. The format is that of "KPL Aggregated Record Format" in its
// repository: four bytes of magic, a protobuf message, and its MD5.
package kpl

import (
	"bytes"
	"crypto/md5" //nolint:gosec // the format's checksum, no secret
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrDamaged is the error of data that begins like an aggregate and is none.
var ErrDamaged = errors.New("damaged aggregate")

// Record is a user record. Its Data shares the aggregate's memory.
type Record struct {
	PartitionKey    string
	ExplicitHashKey string // empty if it has none
	Data            []byte
}

const magicSize = 4

func magic() []byte { return []byte{0xF3, 0x89, 0x9A, 0xC2} }

// Looks tells whether data begins like an aggregate.
func Looks(data []byte) bool {
	return len(data) > magicSize && data[0] == 0xF3 && bytes.HasPrefix(data, magic())
}

// Aggregate is a checked aggregate.
type Aggregate struct {
	keys, hashes []string
	body         []byte
	count        int
}

// Parse checks data wholly: its checksum, every record in it, and that every
// key a record names is there.
func Parse(data []byte) (*Aggregate, error) {
	if !Looks(data) || len(data) < magicSize+md5.Size {
		return nil, fmt.Errorf("%w: no magic or too short", ErrDamaged)
	}
	body, sum := data[magicSize:len(data)-md5.Size], data[len(data)-md5.Size:]
	if got := md5.Sum(body); !bytes.Equal(got[:], sum) { //nolint:gosec // the format's checksum
		return nil, fmt.Errorf("%w: checksum differs", ErrDamaged)
	}
	a := &Aggregate{body: body}
	if err := a.tables(); err != nil {
		return nil, err
	}
	err := a.each(func(Record) bool { a.count++; return true })
	return a, err
}

// Len returns the number of records.
func (a *Aggregate) Len() int { return a.count }

// Each calls f with every record in order until it returns false.
func (a *Aggregate) Each(f func(Record) bool) {
	_ = a.each(f) // Parse has seen that there is no error
}

// Fields of the protobuf messages AggregatedRecord and Record.
const (
	fieldKeyTable  = 1
	fieldHashTable = 2
	fieldRecords   = 3

	fieldKeyIndex  = 1
	fieldHashIndex = 2
	fieldData      = 3
)

func (a *Aggregate) tables() error {
	return fields(a.body, func(number int, _ uint64, value []byte) error {
		switch {
		case number == fieldKeyTable && value != nil:
			a.keys = append(a.keys, string(value))
		case number == fieldHashTable && value != nil:
			a.hashes = append(a.hashes, string(value))
		}
		return nil
	})
}

var errStop = errors.New("stop")

func (a *Aggregate) each(f func(Record) bool) error {
	err := fields(a.body, func(number int, _ uint64, value []byte) error {
		if number != fieldRecords || value == nil {
			return nil
		}
		r, err := a.record(value)
		if err != nil {
			return err
		}
		if !f(r) {
			return errStop
		}
		return nil
	})
	if errors.Is(err, errStop) {
		return nil
	}
	return err
}

func (a *Aggregate) record(b []byte) (Record, error) {
	var r Record
	hasKey, hasData := false, false
	err := fields(b, func(number int, n uint64, value []byte) error {
		switch {
		case number == fieldKeyIndex && value == nil:
			if n >= uint64(len(a.keys)) {
				return fmt.Errorf("%w: no partition key %d", ErrDamaged, n)
			}
			r.PartitionKey, hasKey = a.keys[n], true
		case number == fieldHashIndex && value == nil:
			if n >= uint64(len(a.hashes)) {
				return fmt.Errorf("%w: no explicit hash key %d", ErrDamaged, n)
			}
			r.ExplicitHashKey = a.hashes[n]
		case number == fieldData && value != nil:
			r.Data, hasData = value, true
		}
		return nil
	})
	if err == nil && (!hasKey || !hasData) {
		return r, fmt.Errorf("%w: record without key or data", ErrDamaged)
	}
	return r, err
}

// Protobuf wire types.
const (
	wireVarint = 0
	wire64     = 1
	wireBytes  = 2
	wire32     = 5
)

// fields calls f with each field of a protobuf message: with a number if it is
// one, with a value that is not nil if it is bytes. Fixed-size numbers are
// passed over: the format has none.
func fields(b []byte, f func(number int, n uint64, value []byte) error) error {
	for len(b) > 0 {
		tag, size := binary.Uvarint(b)
		if size <= 0 || tag>>3 == 0 || tag>>3 > 1<<29-1 {
			return fmt.Errorf("%w: bad tag", ErrDamaged)
		}
		b = b[size:]
		var n uint64
		var value []byte
		switch tag & 7 {
		case wireVarint:
			if n, size = binary.Uvarint(b); size <= 0 {
				return fmt.Errorf("%w: bad number", ErrDamaged)
			}
		case wire64:
			size = 8
		case wire32:
			size = 4
		case wireBytes:
			length, prefix := binary.Uvarint(b)
			if prefix <= 0 || length > uint64(len(b)-prefix) {
				return fmt.Errorf("%w: bad length", ErrDamaged)
			}
			size = prefix + int(length)
			value = b[prefix:size:size]
		default:
			return fmt.Errorf("%w: bad wire type", ErrDamaged)
		}
		if size > len(b) {
			return fmt.Errorf("%w: cut off", ErrDamaged)
		}
		b = b[size:]
		if tag&7 != wireVarint && tag&7 != wireBytes {
			continue
		}
		if err := f(int(tag>>3), n, value); err != nil {
			return err
		}
	}
	return nil
}
