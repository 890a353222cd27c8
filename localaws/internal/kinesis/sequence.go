package kinesis

import (
	"math/bits"
)

// sequence is what a sequence number says. As with the service it is a number of
// 186 bits, so 56 decimal digits that begin with 49, and its highest bits hold
// the creation time of the shard, so that every number of a child shard is
// greater than every number of its parents:
//
//	bit 185      1
//	bits 138-180 created: when the shard was created, in milliseconds
//	bits 78-137  index: the place in the shard; 0 is the shard's start, records begin at 1
//	bits 44-77   arrival, in seconds
//	bits 12-43   number of the shard
//	bits 0-11    version, 2
type sequence struct {
	created int64
	index   uint64
	arrival int64
	shard   uint32
}

const (
	sequenceVersion = 2
	sequenceDigits  = 56
	// lastIndex is the index in the ending sequence number of a closed shard.
	lastIndex = 1<<60 - 1

	createdBits = 43
	arrivalBits = 34
	tenTo19     = 1e19 // the largest power of ten in a uint64
)

// append appends the decimal form.
func (s sequence) append(dst []byte) []byte {
	w2 := uint64(1)<<57 | uint64(s.created)&(1<<createdBits-1)<<10 | s.index>>50&(1<<10-1)
	w1 := s.index<<14 | uint64(s.arrival)>>20&(1<<14-1)
	w0 := uint64(s.arrival)<<44 | uint64(s.shard)<<12 | sequenceVersion

	var chunks [3]uint64 // of 19 digits, the lowest first
	for i := range chunks {
		var r uint64
		w2, r = bits.Div64(0, w2, tenTo19)
		w1, r = bits.Div64(r, w1, tenTo19)
		w0, r = bits.Div64(r, w0, tenTo19)
		chunks[i] = r
	}
	var out [57]byte
	for i, at := 0, 57; i < 3; i++ {
		chunk := chunks[i]
		for range 19 {
			at--
			out[at] = byte('0' + chunk%10)
			chunk /= 10
		}
	}
	return append(dst, out[1:]...)
}

// String is the decimal form.
func (s sequence) String() string { return string(s.append(make([]byte, 0, sequenceDigits))) }

// parseSequence reads a number that append has made; ok is false for any other.
func parseSequence(text string) (s sequence, ok bool) {
	if len(text) != sequenceDigits {
		return sequence{}, false
	}
	var w0, w1, w2 uint64
	for i := range len(text) {
		c := text[i]
		if c < '0' || c > '9' {
			return sequence{}, false
		}
		var h0, h1, carry uint64
		h0, w0 = bits.Mul64(w0, 10)
		h1, w1 = bits.Mul64(w1, 10)
		w0, carry = bits.Add64(w0, uint64(c-'0'), 0)
		w1, carry = bits.Add64(w1, h0, carry)
		w2 = w2*10 + h1 + carry
	}
	s = sequence{
		created: int64(w2 >> 10 & (1<<createdBits - 1)),
		index:   w2&(1<<10-1)<<50 | w1>>14,
		arrival: int64(w1&(1<<14-1)<<20 | w0>>44),
		shard:   uint32(w0 >> 12),
	}
	return s, w2>>53 == 1<<4 && w0&(1<<12-1) == sequenceVersion
}
