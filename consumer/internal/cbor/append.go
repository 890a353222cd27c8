package cbor

import (
	"encoding/binary"
	"math"
	"time"
)

func appendHead(b []byte, major byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(b, major|byte(n))
	case n <= math.MaxUint8:
		return append(b, major|24, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, major|25), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, major|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, major|27), n)
}

// AppendMap appends the head of a map that AppendEnd ends: the SDK for Java
// writes maps so.
func AppendMap(b []byte) []byte { return append(b, object|open) }

// AppendEnd appends the end of a map.
func AppendEnd(b []byte) []byte { return append(b, end) }

// AppendArray appends the head of an array of n items.
func AppendArray(b []byte, n int) []byte { return appendHead(b, array, uint64(n)) }

// AppendText appends a text, which is UTF-8.
func AppendText(b []byte, s string) []byte {
	return append(appendHead(b, textString, uint64(len(s))), s...)
}

// AppendBytes appends bytes.
func AppendBytes(b, data []byte) []byte {
	return append(appendHead(b, byteString, uint64(len(data))), data...)
}

// AppendInt appends a whole number.
func AppendInt(b []byte, n int64) []byte {
	if n < 0 {
		return appendHead(b, negative, uint64(-1-n))
	}
	return appendHead(b, unsigned, uint64(n))
}

// AppendTime appends a time as Kinesis does: see Reader.Time.
func AppendTime(b []byte, t time.Time) []byte {
	return AppendInt(appendHead(b, tag, 1), t.UnixMilli())
}
