package kinesis

// ParseHashKey and SequenceText give tests of the package's numbers a way in.
func ParseHashKey(s string) (text string, ok bool) {
	k, ok := parseHashKey(s)
	return k.String(), ok
}

// SequenceFields are the parts of a sequence number.
type SequenceFields struct {
	Created, Arrival int64
	Index            uint64
	Shard            uint32
}

// FormatSequence returns the decimal form.
func FormatSequence(f SequenceFields) string {
	return sequence{created: f.Created, index: f.Index, arrival: f.Arrival, shard: f.Shard}.String()
}

// ParseSequence reads it back.
func ParseSequence(text string) (SequenceFields, bool) {
	s, ok := parseSequence(text)
	return SequenceFields{Created: s.created, Index: s.index, Arrival: s.arrival, Shard: s.shard}, ok
}
