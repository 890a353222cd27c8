package lease

import (
	"cmp"
	"strings"
)

// Values of the checkpoint attribute that are no sequence number; the KCL's words.
const (
	TrimHorizon = "TRIM_HORIZON"
	Latest      = "LATEST"
	AtTimestamp = "AT_TIMESTAMP"
	ShardEnd    = "SHARD_END"
)

// Checkpoint says that everything up to and including it is done. The zero
// value means nothing is known.
type Checkpoint struct {
	Sequence string // a sequence number (decimal digits) or one of the words above
	Sub      int64  // index within an aggregated record
}

// Compare orders a and b: negative when a is before b. Words that name a place
// to start are before every sequence number and equal to each other, ShardEnd
// is after every sequence number. Sequence numbers are compared as numbers, for
// as strings of differing length their order is wrong.
func (c Checkpoint) Compare(other Checkpoint) int {
	if d := cmp.Compare(c.rank(), other.rank()); d != 0 || c.rank() != rankNumber {
		return d
	}
	a, b := strings.TrimLeft(c.Sequence, "0"), strings.TrimLeft(other.Sequence, "0")
	if d := cmp.Compare(len(a), len(b)); d != 0 {
		return d
	}
	if d := strings.Compare(a, b); d != 0 {
		return d
	}
	return cmp.Compare(c.Sub, other.Sub)
}

// IsNumber tells whether the checkpoint is a sequence number rather than a word.
func (c Checkpoint) IsNumber() bool { return c.rank() == rankNumber }

const (
	rankStart = iota
	rankNumber
	rankEnd
)

func (c Checkpoint) rank() int {
	switch c.Sequence {
	case "", TrimHorizon, Latest, AtTimestamp:
		return rankStart
	case ShardEnd:
		return rankEnd
	}
	return rankNumber
}
