package put

import (
	"io"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
)

// readText reads a body of the given length (or of an unknown one, below zero).
func readText(body io.Reader, length int64) (string, error) {
	var text strings.Builder
	if length > 0 && length <= 16<<20 {
		text.Grow(int(length))
	}
	_, err := io.Copy(&text, body)
	return text.String(), err
}

// decode reads an answer to PutRecords, and gives up (false) at anything that
// is not plain: escapes in strings, members it does not know, other types. The
// strings in out share the memory of text.
func decode(text string, out *kinesis.PutRecordsOutput) bool {
	if !simple(text) {
		return false
	}
	s := scanner{text: text}
	if !s.next('{') {
		return false
	}
	if s.next('}') {
		return s.end()
	}
	for {
		name, ok := s.name()
		if !ok {
			return false
		}
		switch name {
		case "Records":
			ok = s.records(out)
		case "FailedRecordCount":
			var n int32
			n, ok = s.number()
			out.FailedRecordCount = &n
		case "EncryptionType":
			var text string
			text, ok = s.word()
			out.EncryptionType = types.EncryptionType(text)
		default:
			return false
		}
		if !ok {
			return false
		}
		if s.next('}') {
			return s.end()
		}
		if !s.next(',') {
			return false
		}
	}
}

// simple tells whether text has neither backslashes nor control characters nor
// anything beyond ASCII: its strings then stand in it as they are.
func simple(text string) bool {
	if strings.IndexByte(text, '\\') >= 0 {
		return false
	}
	var bad uint64
	for ; len(text) >= 8; text = text[8:] {
		x := uint64(text[0]) | uint64(text[1])<<8 | uint64(text[2])<<16 | uint64(text[3])<<24 |
			uint64(text[4])<<32 | uint64(text[5])<<40 | uint64(text[6])<<48 | uint64(text[7])<<56
		bad |= x | (x-control)&^x
	}
	for i := range len(text) {
		if text[i] < ' ' || text[i] >= 0x80 {
			return false
		}
	}
	return bad&top == 0
}

// scanner steps through JSON text.
type scanner struct {
	text string
	at   int
}

// next steps over c, and white space before it, when it comes next.
func (s *scanner) next(c byte) bool {
	for s.at < len(s.text) {
		switch got := s.text[s.at]; got {
		case c:
			s.at++
			return true
		case ' ', '\n', '\r', '\t':
			s.at++
		default:
			return false
		}
	}
	return false
}

func (s *scanner) end() bool { return strings.Trim(s.text[s.at:], " \n\r\t") == "" }

// word reads a string without escapes.
func (s *scanner) word() (string, bool) {
	if !s.next('"') {
		return "", false
	}
	length := strings.IndexByte(s.text[s.at:], '"')
	if length < 0 {
		return "", false
	}
	text := s.text[s.at : s.at+length]
	s.at += length + 1
	return text, true
}

// name reads a member's name and the colon.
func (s *scanner) name() (string, bool) {
	name, ok := s.word()
	return name, ok && s.next(':')
}

func (s *scanner) number() (int32, bool) {
	s.next(' ') // white space only: a number does not begin with it
	begin := s.at
	for s.at < len(s.text) && s.text[s.at] >= '0' && s.text[s.at] <= '9' {
		s.at++
	}
	n, err := strconv.ParseInt(s.text[begin:s.at], 10, 32)
	return int32(n), err == nil && (s.text[begin] != '0' || s.at == begin+1)
}

// records reads the list of entries.
func (s *scanner) records(out *kinesis.PutRecordsOutput) bool {
	if !s.next('[') {
		return false
	}
	entries := strings.Count(s.text[s.at:], "{")
	out.Records = make([]types.PutRecordsResultEntry, 0, entries)
	pool := slab{free: make([]string, 0, entries+8)}
	if s.next(']') {
		return true
	}
	for {
		var entry types.PutRecordsResultEntry
		if !s.entry(&entry, &pool) {
			return false
		}
		out.Records = append(out.Records, entry)
		if s.next(']') {
			return true
		}
		if !s.next(',') {
			return false
		}
	}
}

func (s *scanner) entry(entry *types.PutRecordsResultEntry, pool *slab) bool {
	if !s.next('{') {
		return false
	}
	if s.next('}') {
		return true
	}
	for {
		name, ok := s.name()
		if !ok {
			return false
		}
		text, ok := s.word()
		if !ok {
			return false
		}
		switch name {
		case "SequenceNumber":
			entry.SequenceNumber = pool.pointer(text)
		case "ShardId":
			entry.ShardId = pool.shared(text)
		case "ErrorCode":
			entry.ErrorCode = pool.pointer(text)
		case "ErrorMessage":
			entry.ErrorMessage = pool.pointer(text)
		default:
			return false
		}
		if s.next('}') {
			return true
		}
		if !s.next(',') {
			return false
		}
	}
}

// slab hands out pointers to strings, many from one allocation.
type slab struct {
	free []string
	seen []*string // shard ids, which repeat
}

func (s *slab) pointer(text string) *string {
	if len(s.free) == cap(s.free) {
		s.free = make([]string, 0, max(64, cap(s.free)))
	}
	s.free = append(s.free, text)
	return &s.free[len(s.free)-1]
}

func (s *slab) shared(text string) *string {
	for _, p := range s.seen {
		if *p == text {
			return p
		}
	}
	p := s.pointer(text)
	if len(s.seen) < 8 {
		s.seen = append(s.seen, p)
	}
	return p
}
