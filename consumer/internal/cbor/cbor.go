// Package cbor reads CBOR (RFC 8949) as AWS services write it: maps with text
// keys, arrays, text, bytes, numbers, times and null, each of known length or
// in pieces. It copies nothing.
package cbor

import (
	"math"
	"time"
	"unicode/utf8"
)

// The major types, in the upper three bits of a head.
const (
	unsigned = iota << 5
	negative
	byteString
	textString
	array
	object
	tag
	simple
)

// Of simple values, and the mark that ends what is of unknown length.
const (
	falseValue = simple | 20
	nullValue  = simple | 22
	undefined  = simple | 23
	half       = simple | 25
	single     = simple | 26
	double     = simple | 27
	end        = simple | open
)

// open is what stands for a length that is not known.
const open = 31

// maxDepth bounds the nesting of what is skipped.
const maxDepth = 16

// IsMap tells whether a body begins as a map does, which no JSON text does.
func IsMap(body []byte) bool { return len(body) > 0 && body[0]&0xe0 == object }

// Reader reads one item after the other. Its methods return false at anything
// but what they are asked for; it is of no use then. What they return is part
// of the body. It is for one goroutine.
type Reader struct {
	body []byte
	at   int
}

// New returns a Reader of a body, which is its own: it moves the pieces of a
// string together.
func New(body []byte) *Reader { return &Reader{body: body} }

// Done tells whether everything was read.
func (r *Reader) Done() bool { return r.at == len(r.body) }

// Left returns how many bytes there are still to read.
func (r *Reader) Left() int { return len(r.body) - r.at }

// head reads the head of an item: its first byte, and the number in it. unknown
// is true for a length that is not given.
func (r *Reader) head() (first byte, n uint64, unknown, ok bool) {
	if r.at >= len(r.body) {
		return 0, 0, false, false
	}
	first = r.body[r.at]
	r.at++
	info := first & 31
	switch {
	case info < 24:
		return first, uint64(info), false, true
	case info == open:
		return first, 0, true, true
	case info > 27:
		return 0, 0, false, false
	}
	size := 1 << (info - 24)
	if len(r.body)-r.at < size {
		return 0, 0, false, false
	}
	for _, c := range r.body[r.at : r.at+size] {
		n = n<<8 | uint64(c)
	}
	r.at += size
	return first, n, false, true
}

// ended reads the mark that ends what is of unknown length, if it is next.
func (r *Reader) ended() bool { return r.next(end) }

func (r *Reader) next(c byte) bool {
	if r.at < len(r.body) && r.body[r.at] == c {
		r.at++
		return true
	}
	return false
}

// Null reads null, if it is next.
func (r *Reader) Null() bool { return r.next(nullValue) || r.next(undefined) }

// IsText tells whether a text is next.
func (r *Reader) IsText() bool { return r.at < len(r.body) && r.body[r.at]&0xe0 == textString }

// Text reads a text, which is UTF-8.
func (r *Reader) Text() ([]byte, bool) {
	s, ok := r.str(textString)
	return s, ok && utf8.Valid(s)
}

// Bytes reads bytes.
func (r *Reader) Bytes() ([]byte, bool) { return r.str(byteString) }

func (r *Reader) str(major byte) ([]byte, bool) {
	first, n, unknown, ok := r.head()
	if !ok || first&0xe0 != major {
		return nil, false
	}
	if unknown {
		return r.pieces(major)
	}
	return r.take(n)
}

func (r *Reader) take(n uint64) ([]byte, bool) {
	if n > uint64(len(r.body)-r.at) {
		return nil, false
	}
	s := r.body[r.at : r.at+int(n) : r.at+int(n)]
	r.at += int(n)
	return s, true
}

// pieces moves the pieces of a string together, over their own heads.
func (r *Reader) pieces(major byte) ([]byte, bool) {
	start := r.at
	to := start
	for !r.ended() {
		first, n, unknown, ok := r.head()
		if !ok || unknown || first&0xe0 != major {
			return nil, false
		}
		piece, ok := r.take(n)
		if !ok || (major == textString && !utf8.Valid(piece)) {
			return nil, false
		}
		to += copy(r.body[to:], piece)
	}
	return r.body[start:to:to], true
}

// Int reads a whole number that fits into 64 bits.
func (r *Reader) Int() (int64, bool) {
	first, n, unknown, ok := r.head()
	if !ok || unknown || n > math.MaxInt64 {
		return 0, false
	}
	switch first & 0xe0 {
	case unsigned:
		return int64(n), true
	case negative:
		return -1 - int64(n), true
	}
	return 0, false
}

// isMilliseconds is where seconds end and milliseconds begin: the year 5138 if
// it were seconds, 1973 if milliseconds.
const isMilliseconds = 1e11

// Time reads a time: a number, with or without a tag. Kinesis writes whole
// milliseconds with tag 1 (see aws/aws-sdk-java-v2, issues 184 and 4661), which
// by RFC 8949 is for seconds, possibly with a fraction; both are read, told
// apart by their size. A fraction of a millisecond is cut off.
func (r *Reader) Time() (time.Time, bool) {
	if r.at < len(r.body) && r.body[r.at]&0xe0 == tag {
		if _, _, unknown, ok := r.head(); !ok || unknown {
			return time.Time{}, false
		}
	}
	if r.at < len(r.body) && r.body[r.at]&0xe0 == simple {
		f, ok := r.float()
		if !ok || !(f >= 0 && f < isMilliseconds*1000) {
			return time.Time{}, false
		}
		if f < isMilliseconds {
			f *= 1000
		}
		return time.UnixMilli(int64(f)).UTC(), true
	}
	n, ok := r.Int()
	if !ok || n < 0 || n >= isMilliseconds*1000 {
		return time.Time{}, false
	}
	if n < isMilliseconds {
		n *= 1000
	}
	return time.UnixMilli(n).UTC(), true
}

func (r *Reader) float() (float64, bool) {
	first, n, _, ok := r.head()
	if !ok {
		return 0, false
	}
	switch first {
	case single:
		return float64(math.Float32frombits(uint32(n))), true
	case double:
		return math.Float64frombits(n), true
	}
	return 0, false
}

// Array reads an array; item is called for each of its items, and reads it.
// size, which is called before that, hears how many there are said to be, 0 if
// that is not known.
func (r *Reader) Array(size func(n uint64), item func() bool) bool {
	first, n, unknown, ok := r.head()
	if !ok || first&0xe0 != array {
		return false
	}
	size(n)
	return r.items(n, unknown, item)
}

// Map reads a map; member is called after each key, and reads the value.
func (r *Reader) Map(member func(key []byte) bool) bool {
	first, n, unknown, ok := r.head()
	if !ok || first&0xe0 != object {
		return false
	}
	return r.items(n, unknown, func() bool {
		key, ok := r.Text()
		return ok && member(key)
	})
}

func (r *Reader) items(n uint64, unknown bool, item func() bool) bool {
	for i := uint64(0); unknown || i < n; i++ {
		if unknown && r.ended() {
			return true
		}
		if !item() {
			return false
		}
	}
	return true
}

// Skip reads any item.
func (r *Reader) Skip() bool { return r.skip(0) }

func (r *Reader) skip(depth int) bool {
	if depth > maxDepth || r.at >= len(r.body) {
		return false
	}
	inner := func() bool { return r.skip(depth + 1) }
	switch first := r.body[r.at]; first & 0xe0 {
	case byteString:
		_, ok := r.Bytes()
		return ok
	case textString:
		_, ok := r.Text()
		return ok
	case array:
		return r.Array(func(uint64) {}, inner)
	case object:
		return r.Map(func([]byte) bool { return inner() })
	case tag:
		_, _, unknown, ok := r.head()
		return ok && !unknown && inner()
	case simple:
		return r.skipSimple(first)
	}
	_, _, unknown, ok := r.head()
	return ok && !unknown
}

func (r *Reader) skipSimple(first byte) bool {
	if first < falseValue || first > undefined && first != half && first != single && first != double {
		return false
	}
	_, _, _, ok := r.head()
	return ok
}
