// Package shards predicts on which shard a partition key lands: the MD5 of the
// key, read as a 128-bit number, falls into one open shard's hash key range.
package shards

import (
	"crypto/md5" //nolint:gosec // the service's hash for partition keys, not a secret's
	"encoding/binary"
	"fmt"
	"math/big"
)

// Hash is a 128-bit hash key.
type Hash struct{ Hi, Lo uint64 }

// HashOf returns the hash key of a partition key.
func HashOf(key string) Hash {
	var buf [256]byte
	n := copy(buf[:], key)
	var sum [md5.Size]byte
	if n == len(key) {
		sum = md5.Sum(buf[:n]) //nolint:gosec // see the import
	} else {
		sum = md5.Sum([]byte(key)) //nolint:gosec // see the import
	}
	return Hash{binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:])}
}

// ParseHash reads a hash key as the API writes it, a decimal number below 2^128.
func ParseHash(decimal string) (Hash, error) {
	n, ok := new(big.Int).SetString(decimal, 10)
	if !ok || n.Sign() < 0 || n.BitLen() > 128 {
		return Hash{}, fmt.Errorf("parse hash key %q: want a decimal number below 2^128", decimal)
	}
	var raw [16]byte
	n.FillBytes(raw[:])
	return Hash{binary.BigEndian.Uint64(raw[:8]), binary.BigEndian.Uint64(raw[8:])}, nil
}

// Decimal writes the hash key as the API wants it in ExplicitHashKey.
func (h Hash) Decimal() string {
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:8], h.Hi)
	binary.BigEndian.PutUint64(raw[8:], h.Lo)
	return new(big.Int).SetBytes(raw[:]).String()
}

// Less compares two hash keys as numbers.
func (h Hash) Less(other Hash) bool {
	return h.Hi < other.Hi || h.Hi == other.Hi && h.Lo < other.Lo
}

// next returns h+1; the largest wraps to zero.
func (h Hash) next() Hash {
	h.Lo++
	if h.Lo == 0 {
		h.Hi++
	}
	return h
}
