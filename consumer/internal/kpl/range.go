package kpl

import (
	"crypto/md5" //nolint:gosec // how Kinesis hashes keys, no secret
	"encoding/binary"
	"fmt"
	"math/big"
)

// Range is a shard's range of hash keys, both ends included.
type Range struct{ start, end hash }

// hash is a number of 128 bits.
type hash struct{ high, low uint64 }

func (h hash) less(o hash) bool {
	return h.high < o.high || h.high == o.high && h.low < o.low
}

// NewRange reads the ends as decimal numbers.
func NewRange(start, end string) (*Range, error) {
	s, okStart := parse(start)
	e, okEnd := parse(end)
	if !okStart || !okEnd {
		return nil, fmt.Errorf("read hash key range %q to %q: want decimal numbers below 2^128", start, end)
	}
	return &Range{start: s, end: e}, nil
}

// Contains tells whether Kinesis would put a record with r's keys into the
// range.
func (g *Range) Contains(r Record) bool {
	h, ok := parse(r.ExplicitHashKey)
	if !ok {
		sum := md5.Sum([]byte(r.PartitionKey)) //nolint:gosec // how Kinesis hashes keys
		h = hash{high: binary.BigEndian.Uint64(sum[:8]), low: binary.BigEndian.Uint64(sum[8:])}
	}
	return !h.less(g.start) && !g.end.less(h)
}

func parse(decimal string) (hash, bool) {
	if decimal == "" {
		return hash{}, false
	}
	n, ok := new(big.Int).SetString(decimal, 10)
	if !ok || n.Sign() < 0 || n.BitLen() > 128 {
		return hash{}, false
	}
	var b [16]byte
	n.FillBytes(b[:])
	return hash{high: binary.BigEndian.Uint64(b[:8]), low: binary.BigEndian.Uint64(b[8:])}, true
}
