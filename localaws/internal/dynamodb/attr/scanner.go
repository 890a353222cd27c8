package attr

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner walks over JSON that is known to be well formed where a decoder has
// called it, and that is checked again here, since ParseItem is also used by
// itself. Strings are copied out: nothing keeps the input alive.
type scanner struct {
	in     []byte
	at     int
	member string // of the outermost object: the last one begun
}

func (s *scanner) space() {
	for s.at < len(s.in) {
		switch s.in[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

// peek returns the next significant byte, or 0 at the end.
func (s *scanner) peek() byte {
	s.space()
	if s.at == len(s.in) {
		return 0
	}
	return s.in[s.at]
}

func (s *scanner) expect(c byte) error {
	if s.peek() != c {
		return s.unexpected("'" + string(rune(c)) + "'")
	}
	s.at++
	return nil
}

func (s *scanner) unexpected(want string) error {
	if s.at >= len(s.in) {
		return Malformed("unexpected end of JSON, want " + want)
	}
	return Malformed("unexpected " + strconv.QuoteRune(rune(s.in[s.at])) + " at " + strconv.Itoa(s.at) + ", want " + want)
}

// next moves to a collection's next element: first tells the opening byte from
// a comma; more is false when the closing byte was there.
func (s *scanner) next(first bool, closing byte) (more bool, err error) {
	if s.peek() == closing {
		s.at++
		return false, nil
	}
	if first {
		return true, nil
	}
	return true, s.expect(',')
}

// str reads a string.
func (s *scanner) str() (string, error) {
	raw, err := s.raw()
	return string(raw), err
}

// raw reads a string; the bytes are the input's own where nothing was escaped.
func (s *scanner) raw() ([]byte, error) {
	if s.peek() != '"' {
		return nil, s.unexpected("a string")
	}
	s.at++
	for i := s.at; i < len(s.in); i++ {
		switch c := s.in[i]; {
		case c == '"':
			raw := s.in[s.at:i]
			s.at = i + 1
			return raw, nil
		case c == '\\' || c < ' ' || c >= utf8.RuneSelf:
			return s.slow(i)
		}
	}
	s.at = len(s.in)
	return nil, s.unexpected("the end of a string")
}

// slow reads on from i, the first byte that is not plain ASCII.
func (s *scanner) slow(i int) ([]byte, error) {
	out := append(make([]byte, 0, i-s.at+64), s.in[s.at:i]...)
	s.at = i
	for s.at < len(s.in) {
		switch c := s.in[s.at]; {
		case c == '"':
			s.at++
			return out, nil
		case c < ' ':
			return nil, s.unexpected("no control character in a string")
		case c == '\\':
			var err error
			if out, err = s.escape(out); err != nil {
				return nil, err
			}
		default:
			r, size := utf8.DecodeRune(s.in[s.at:])
			if r == utf8.RuneError && size == 1 {
				return nil, s.unexpected("UTF-8")
			}
			out = utf8.AppendRune(out, r)
			s.at += size
		}
	}
	return nil, s.unexpected("the end of a string")
}

func (s *scanner) escape(out []byte) ([]byte, error) {
	if s.at+1 >= len(s.in) {
		s.at = len(s.in)
		return nil, s.unexpected("an escaped character")
	}
	c := s.in[s.at+1]
	s.at += 2
	switch c {
	case '"', '\\', '/':
		return append(out, c), nil
	case 'b':
		return append(out, '\b'), nil
	case 'f':
		return append(out, '\f'), nil
	case 'n':
		return append(out, '\n'), nil
	case 'r':
		return append(out, '\r'), nil
	case 't':
		return append(out, '\t'), nil
	case 'u':
		r, err := s.rune()
		return utf8.AppendRune(out, r), err
	default:
		s.at--
		return nil, s.unexpected("an escaped character")
	}
}

func (s *scanner) hex() (rune, bool) {
	if s.at+4 > len(s.in) {
		return 0, false
	}
	v, err := strconv.ParseUint(string(s.in[s.at:s.at+4]), 16, 32)
	if err != nil {
		return 0, false
	}
	s.at += 4
	return rune(v), true
}

// rune reads what follows on \u: four digits, or the two halves of a pair.
func (s *scanner) rune() (rune, error) {
	r, ok := s.hex()
	if !ok {
		return 0, s.unexpected("four hexadecimal digits")
	}
	if !utf16.IsSurrogate(r) {
		return r, nil
	}
	if s.at+1 < len(s.in) && s.in[s.at] == '\\' && s.in[s.at+1] == 'u' {
		s.at += 2
		if second, ok := s.hex(); ok {
			if joined := utf16.DecodeRune(r, second); joined != utf8.RuneError {
				return joined, nil
			}
		}
	}
	return 0, s.unexpected("the other half of a surrogate pair")
}

// boolean reads true or false.
func (s *scanner) boolean() (bool, error) {
	s.space()
	rest := s.in[s.at:]
	switch {
	case len(rest) >= 4 && string(rest[:4]) == "true":
		s.at += 4
		return true, nil
	case len(rest) >= 5 && string(rest[:5]) == "false":
		s.at += 5
		return false, nil
	default:
		return false, s.unexpected("true or false")
	}
}
