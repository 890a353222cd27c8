package store

import (
	"encoding/binary"
	"unsafe"
)

// special returns the place of the first byte from i on that does not stand for
// itself in a JSON string: a quote, a backslash or a control character. It looks
// at 32 bytes at a time, and at most one byte at a time in the last of them.
func special(data []byte, i int) int {
	for ; len(data)-i >= 32; i += 32 {
		s := data[i : i+32 : i+32]
		a, b := suspects(binary.LittleEndian.Uint64(s)), suspects(binary.LittleEndian.Uint64(s[8:]))
		c, d := suspects(binary.LittleEndian.Uint64(s[16:])), suspects(binary.LittleEndian.Uint64(s[24:]))
		if (a|b|c|d)&highs != 0 {
			break
		}
	}
	for ; len(data)-i >= 8; i += 8 {
		if suspects(binary.LittleEndian.Uint64(data[i:]))&highs != 0 {
			break
		}
	}
	for ; i < len(data); i++ {
		if c := data[i]; c < ' ' || c == '"' || c == '\\' {
			break
		}
	}
	return i
}

const ones, highs = 0x0101010101010101, 0x8080808080808080

// suspects returns a word with high bits set if w has a special byte. To
// exchange 2k and 2k+2 in each byte puts the quote just above the control
// characters, so that one comparison finds both: a byte that is less than 0x21
// then. See "Determine if a word has a byte less than n", Bit Twiddling Hacks.
func suspects(w uint64) uint64 {
	slash := w ^ ones*'\\'
	return ((w^ones*2)-ones*0x21)&^w | (slash-ones)&^slash
}

const hexDigits = "0123456789abcdef"

// appendEscaped appends s as it stands between the quotes of a JSON string. s
// is UTF-8.
func appendEscaped(b []byte, s string) []byte {
	data := unsafe.Slice(unsafe.StringData(s), len(s)) //nolint:gosec // read only
	for {
		n := special(data, 0)
		b = append(b, data[:n]...)
		if n == len(data) {
			return b
		}
		b = appendEscape(b, data[n])
		data = data[n+1:]
	}
}

// appendEscape appends one special byte.
func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, '\\', 'n')
	}
	return append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

// alias returns data as a string that shares its memory.
func alias(data []byte) string {
	return unsafe.String(unsafe.SliceData(data), len(data)) //nolint:gosec // not kept
}
