package kinesis

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
)

// pairs are the twelve bits that two characters of base64 stand for, the first
// in the low byte of the place; notBase64 where they stand for nothing.
type pairs [1 << 16]uint16

const notBase64 = 1 << 15

// table is made once; nothing writes to it.
var table = newPairs() //nolint:gochecknoglobals // constant, but Go has no constant arrays

func newPairs() *pairs {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	var p pairs
	for i := range p {
		p[i] = notBase64
	}
	for i := range len(alphabet) {
		for k := range len(alphabet) {
			p[int(alphabet[i])|int(alphabet[k])<<8] = uint16(i<<6 | k)
		}
	}
	return &p
}

// plain16 decodes 16 characters at a time, up to the first such that are not
// all base64 without padding, over their own text: what is written is never
// beyond what was read. It returns how many it has read, and written.
func plain16(text []byte) (read, written int) {
	t := table
	for len(text)-read >= 16 {
		in := text[read : read+16 : read+16]
		v, w := binary.LittleEndian.Uint64(in), binary.LittleEndian.Uint64(in[8:])
		a, b, c, d := t[uint16(v)], t[uint16(v>>16)], t[uint16(v>>32)], t[uint16(v>>48)]
		e, f, g, h := t[uint16(w)], t[uint16(w>>16)], t[uint16(w>>32)], t[uint16(w>>48)]
		if (a|b|c|d|e|f|g|h)&notBase64 != 0 {
			break
		}
		out := text[written : written+16 : written+16]
		binary.BigEndian.PutUint64(out, uint64(a)<<52|uint64(b)<<40|uint64(c)<<28|uint64(d)<<16)
		binary.BigEndian.PutUint64(out[6:], uint64(e)<<52|uint64(f)<<40|uint64(g)<<28|uint64(h)<<16)
		read, written = read+16, written+12
	}
	return read, written
}

var errBase64 = errors.New("decode record data: not base64")

// decodeInPlace decodes base64 over its own text, which is as it stood between
// the quotes of a JSON string.
func decodeInPlace(text []byte) ([]byte, error) {
	read, written := plain16(text)
	rest := text[read:]
	if bytes.IndexByte(rest, '\\') >= 0 {
		var s string
		if json.Unmarshal(append(append([]byte{'"'}, rest...), '"'), &s) != nil {
			return nil, errBase64
		}
		rest = []byte(s) // line breaks in it are passed over, as by the SDK
	} else if bytes.IndexByte(rest, '\n') >= 0 || bytes.IndexByte(rest, '\r') >= 0 {
		return nil, errBase64 // not JSON
	}
	n, err := base64.StdEncoding.Decode(text[written:], rest)
	if err != nil {
		return nil, errBase64
	}
	n += written
	return text[:n:n], nil
}
