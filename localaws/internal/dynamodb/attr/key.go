package attr

// Scalars of keys are also written as byte strings that sort as the values do,
// so that an ordered index needs to compare nothing but bytes. Every form is
// closed: none is the beginning of another's.

const (
	escaped    = "\x00\xff" // a zero byte within the text
	terminator = "\x00\x01"
)

// AppendOrdered appends the ordered form of an S, N or B.
func (v Value) AppendOrdered(dst []byte) []byte {
	if v.Kind == N {
		return appendOrderedNumber(dst, v.Number())
	}
	return append(v.AppendOrderedPrefix(dst), terminator...)
}

// AppendOrderedPrefix appends the ordered form of an S or B without its end:
// what the forms of all values that begin with v begin with.
func (v Value) AppendOrderedPrefix(dst []byte) []byte {
	for i := 0; i < len(v.Text); i++ {
		if c := v.Text[i]; c != 0 {
			dst = append(dst, c)
		} else {
			dst = append(dst, escaped...)
		}
	}
	return dst
}

// appendOrderedNumber writes sign, exponent and digits; everything after the
// sign of a negative number is complemented.
func appendOrderedNumber(dst []byte, n Number) []byte {
	if n.digits == "" {
		return append(dst, 1)
	}
	flip, lead := byte(0), byte(2)
	if n.negative {
		flip, lead = 0xff, 0
	}
	exp := n.exp - minMagnitude // at least 1, at most 256
	dst = append(dst, lead, byte(exp>>8)^flip, byte(exp)^flip)
	for i := 0; i < len(n.digits); i++ {
		dst = append(dst, n.digits[i]^flip)
	}
	return append(dst, flip)
}
