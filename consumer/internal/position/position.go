// Package position compares places in a shard.
package position

import "strings"

// Position is a place in a shard: a record's sequence number, and the index of
// a user record within it (0 in a plain record). The zero Position is before
// everything.
type Position struct {
	Sequence string
	Sub      int64
}

// IsZero tells whether p is before everything.
func (p Position) IsZero() bool { return p.Sequence == "" }

// Compare returns -1, 0 or 1 as p is before, at or after q. Sequence numbers
// are compared as the numbers they are: they are decimal, and their lengths
// differ.
func (p Position) Compare(q Position) int {
	if c := CompareSequences(p.Sequence, q.Sequence); c != 0 {
		return c
	}
	switch {
	case p.Sub < q.Sub:
		return -1
	case p.Sub > q.Sub:
		return 1
	}
	return 0
}

// CompareSequences compares two decimal numbers of any length; an empty one is
// before all others.
func CompareSequences(a, b string) int {
	if a == "" || b == "" {
		return compareInts(len(a), len(b))
	}
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if c := compareInts(len(a), len(b)); c != 0 {
		return c
	}
	return strings.Compare(a, b)
}

func compareInts(a, b int) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
