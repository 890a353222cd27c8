package store

import (
	"encoding/json"
	"unicode/utf8"
)

// appendJSON appends data as it stands between the quotes of a JSON string, if
// data is JSON text itself, and tells whether it is: b is as it was if not. It
// looks for quotes and the like once for both. A differential fuzz test compares
// it with json.Valid, which has no wish for UTF-8.
func appendJSON(b, data []byte) ([]byte, bool) {
	v := validator{data: data, out: b}
	v.space()
	if !v.value(0) {
		if !v.deep || !json.Valid(data) || !utf8.Valid(data) {
			return b, false
		}
		return appendEscaped(b, alias(data)), true
	}
	v.space()
	if v.at != len(data) || !utf8.Valid(data) {
		return b, false
	}
	return append(v.out, data[v.copied:]...), true
}

// maxDepth is how deep validator looks; json.Valid looks deeper.
const maxDepth = 100

// validator reads JSON text, and copies it to out, escaped.
type validator struct {
	data   []byte
	at     int
	deep   bool // gave up at maxDepth
	out    []byte
	copied int // so much of data is in out
}

// escape copies up to and including the byte at i, which does not stand for
// itself in a string.
func (v *validator) escape(i int) {
	v.out = appendEscape(append(v.out, v.data[v.copied:i]...), v.data[i])
	v.copied = i + 1
}

func (v *validator) space() {
	for v.at < len(v.data) {
		switch v.data[v.at] {
		case ' ':
			v.at++
		case '\n', '\t', '\r':
			v.escape(v.at)
			v.at++
		default:
			return
		}
	}
}

func (v *validator) next(c byte) bool {
	if v.at < len(v.data) && v.data[v.at] == c {
		v.at++
		return true
	}
	return false
}

func (v *validator) value(depth int) bool {
	if v.at >= len(v.data) {
		return false
	}
	switch c := v.data[v.at]; {
	case c == '"':
		return v.text()
	case c == '{':
		return v.list(depth, '}', true)
	case c == '[':
		return v.list(depth, ']', false)
	case c == '-' || c >= '0' && c <= '9':
		return v.number()
	case c == 't':
		return v.word("true")
	case c == 'f':
		return v.word("false")
	case c == 'n':
		return v.word("null")
	}
	return false
}

func (v *validator) word(w string) bool {
	if len(v.data)-v.at < len(w) || string(v.data[v.at:v.at+len(w)]) != w {
		return false
	}
	v.at += len(w)
	return true
}

// list reads an object or an array.
func (v *validator) list(depth int, end byte, keys bool) bool {
	if depth == maxDepth {
		v.deep = true
		return false
	}
	v.at++
	v.space()
	if v.next(end) {
		return true
	}
	for {
		if keys {
			if v.at >= len(v.data) || v.data[v.at] != '"' || !v.text() {
				return false
			}
			v.space()
			if !v.next(':') {
				return false
			}
			v.space()
		}
		if !v.value(depth + 1) {
			return false
		}
		v.space()
		if v.next(end) {
			return true
		}
		if !v.next(',') {
			return false
		}
		v.space()
	}
}

func (v *validator) text() bool {
	data := v.data
	v.escape(v.at)
	for i := special(data, v.at+1); i < len(data); i = special(data, i+1) {
		c := data[i]
		if c < ' ' {
			return false
		}
		v.escape(i)
		if c == '"' {
			v.at = i + 1
			return true
		}
		i++
		if i >= len(data) {
			return false
		}
		switch data[i] {
		case '"', '\\':
			v.escape(i)
		case '/', 'b', 'f', 'n', 'r', 't':
		case 'u':
			if !hex4(data, i+1) {
				return false
			}
			i += 4
		default:
			return false
		}
	}
	return false
}

func hex4(data []byte, at int) bool {
	if len(data)-at < 4 {
		return false
	}
	for _, c := range data[at : at+4] {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}

func (v *validator) digits() bool {
	start := v.at
	for v.at < len(v.data) && v.data[v.at] >= '0' && v.data[v.at] <= '9' {
		v.at++
	}
	return v.at > start
}

func (v *validator) number() bool {
	v.next('-')
	if !v.next('0') && !v.digits() {
		return false
	}
	if v.next('.') && !v.digits() {
		return false
	}
	if v.next('e') || v.next('E') {
		if !v.next('+') {
			v.next('-')
		}
		return v.digits()
	}
	return true
}
