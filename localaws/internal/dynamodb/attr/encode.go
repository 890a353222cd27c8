package attr

import (
	"encoding/base64"
	"unicode/utf8"
)

// AppendJSON appends the item's wire form to dst.
func (i Item) AppendJSON(dst []byte) []byte {
	dst = append(dst, '{')
	first := true
	for name, v := range i {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = AppendString(dst, name)
		dst = append(dst, ':')
		dst = v.AppendJSON(dst)
	}
	return append(dst, '}')
}

// AppendJSON appends the value's wire form to dst.
func (v Value) AppendJSON(dst []byte) []byte {
	if v.Kind == None {
		return append(dst, "null"...)
	}
	dst = append(dst, '{', '"')
	dst = append(dst, v.Kind.String()...)
	dst = append(dst, '"', ':')
	switch v.Kind {
	case S, N, B:
		dst = appendScalar(dst, v.Kind, v.Text)
	case Bool:
		if v.Bool {
			dst = append(dst, "true"...)
		} else {
			dst = append(dst, "false"...)
		}
	case SS, NS, BS:
		dst = append(dst, '[')
		for i, m := range v.Set() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendScalar(dst, v.Kind.Element(), m)
		}
		dst = append(dst, ']')
	case L:
		dst = append(dst, '[')
		for i, e := range v.List() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = e.AppendJSON(dst)
		}
		dst = append(dst, ']')
	case M:
		dst = v.Map().AppendJSON(dst)
	default:
		dst = append(dst, "true"...)
	}
	return append(dst, '}')
}

func appendScalar(dst []byte, kind Kind, text string) []byte {
	if kind == S {
		return AppendString(dst, text)
	}
	dst = append(dst, '"')
	if kind == B {
		dst = base64.StdEncoding.AppendEncode(dst, []byte(text))
	} else {
		dst = append(dst, text...)
	}
	return append(dst, '"')
}

// MarshalJSON implements json.Marshaler.
func (i Item) MarshalJSON() ([]byte, error) { return i.AppendJSON(nil), nil }

// MarshalJSON implements json.Marshaler.
func (v Value) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil), nil }

// AppendString appends s as a JSON string.
func AppendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
			dst = append(append(dst, s[start:i]...), `\ufffd`...)
			i++
			start = i
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}
