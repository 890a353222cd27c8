package kinesis

import (
	"cmp"
	"crypto/md5" //nolint:gosec // the hash function of Kinesis
	"encoding/binary"
	"math/big"
	"math/bits"
)

// hashKey is an unsigned integer of 128 bits: the MD5 of a partition key.
type hashKey struct{ hi, lo uint64 }

func maxHashKey() hashKey { return hashKey{^uint64(0), ^uint64(0)} }

func hashOf(partitionKey []byte) hashKey {
	sum := md5.Sum(partitionKey) //nolint:gosec // the hash function of Kinesis
	return hashKey{binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:])}
}

// parseHashKey reads a decimal; ok is false if it is none or above 2^128-1.
func parseHashKey(s string) (k hashKey, ok bool) {
	if s == "" || len(s) > 39 || (len(s) > 1 && s[0] == '0') {
		return hashKey{}, false
	}
	for i := range len(s) {
		c := s[i]
		if c < '0' || c > '9' {
			return hashKey{}, false
		}
		over, lo := bits.Mul64(k.lo, 10)
		tooBig, hi := bits.Mul64(k.hi, 10)
		var carry, carry2 uint64
		lo, carry = bits.Add64(lo, uint64(c-'0'), 0)
		hi, carry2 = bits.Add64(hi, over, carry)
		if tooBig != 0 || carry2 != 0 {
			return hashKey{}, false
		}
		k = hashKey{hi, lo}
	}
	return k, true
}

func (k hashKey) compare(o hashKey) int {
	if c := cmp.Compare(k.hi, o.hi); c != 0 {
		return c
	}
	return cmp.Compare(k.lo, o.lo)
}

func (k hashKey) add(n uint64) hashKey {
	lo, carry := bits.Add64(k.lo, n, 0)
	return hashKey{k.hi + carry, lo}
}

func (k hashKey) sub(n uint64) hashKey {
	lo, borrow := bits.Sub64(k.lo, n, 0)
	return hashKey{k.hi - borrow, lo}
}

// String is the decimal form.
func (k hashKey) String() string {
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:8], k.hi)
	binary.BigEndian.PutUint64(raw[8:], k.lo)
	return new(big.Int).SetBytes(raw[:]).String()
}

// hashRange is a range of hash keys, both ends included.
type hashRange struct{ start, end hashKey }

// uniformRanges cuts the whole hash key space into n ranges of equal size, as
// CreateStream and UpdateShardCount do.
func uniformRanges(n int) []hashRange {
	space := new(big.Int).Lsh(big.NewInt(1), 128)
	size := new(big.Int).Div(space, big.NewInt(int64(n)))
	ranges := make([]hashRange, n)
	for i := range ranges {
		start := new(big.Int).Mul(size, big.NewInt(int64(i)))
		var raw [16]byte
		start.FillBytes(raw[:])
		ranges[i].start = hashKey{binary.BigEndian.Uint64(raw[:8]), binary.BigEndian.Uint64(raw[8:])}
		if i > 0 {
			ranges[i-1].end = ranges[i].start.sub(1)
		}
	}
	ranges[n-1].end = maxHashKey()
	return ranges
}
