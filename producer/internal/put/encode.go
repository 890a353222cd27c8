package put

import (
	"encoding/base64"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"
)

// Parts of a request as they stand on the wire.
const (
	wireBegin  = `{"Records":[`
	wireData   = `{"Data":"`
	wireKey    = `","PartitionKey":"`
	wireHash   = `","ExplicitHashKey":"`
	wireNext   = `"},`
	wireStream = `],"StreamName":"`
	wireEnd    = `"}`
)

// encodedSize is the exact length of the request's body. ok is false when the
// request has anything that encode does not write as it is.
func encodedSize(in *kinesis.PutRecordsInput) (size int, ok bool) {
	if in.DryRun != nil || in.StreamARN != nil || in.StreamId != nil || in.StreamName == nil || len(in.Records) == 0 || !plain(*in.StreamName) {
		return 0, false
	}
	size = len(wireBegin) + len(wireStream) + len(*in.StreamName) + len(wireEnd) - 1
	for i := range in.Records {
		r := &in.Records[i]
		if r.Data == nil || r.PartitionKey == nil || !plain(*r.PartitionKey) {
			return 0, false
		}
		size += len(wireData) + base64.StdEncoding.EncodedLen(len(r.Data)) + len(wireKey) + len(*r.PartitionKey) + len(wireNext)
		if r.ExplicitHashKey != nil {
			if !plain(*r.ExplicitHashKey) {
				return 0, false
			}
			size += len(wireHash) + len(*r.ExplicitHashKey)
		}
	}
	return size, true
}

// plain tells whether s stands in a JSON string as it is.
func plain(s string) bool {
	special, high := scan(s)
	return !special && (!high || utf8.ValidString(s))
}

// Every byte of a word the same.
const (
	each    = 0x0101010101010101
	top     = 0x80 * each
	control = ' ' * each
	quote   = '"' * each
	escape  = '\\' * each
)

// scan looks at eight bytes at a time: special says that there is a control
// character, a quote or a backslash; high that there is something beyond ASCII.
// (x-each)&^x&top has a bit where, going up, the first zero byte of x is; what it
// says of later bytes may be wrong, but is then of no matter.
func scan(s string) (special, high bool) {
	var bad, beyond uint64
	for ; len(s) >= 8; s = s[8:] {
		x := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		q, e := x^quote, x^escape
		bad |= (x-control)&^x | (q-each)&^q | (e-each)&^e
		beyond |= x
	}
	special, high = bad&top != 0, beyond&top != 0
	for i := range len(s) {
		c := s[i]
		special = special || c < ' ' || c == '"' || c == '\\'
		high = high || c >= utf8.RuneSelf
	}
	return special, high
}

// encode appends the body of a request that encodedSize said ok to.
func encode(out []byte, in *kinesis.PutRecordsInput) []byte {
	out = append(out, wireBegin...)
	for i := range in.Records {
		r := &in.Records[i]
		out = append(out, wireData...)
		out = base64.StdEncoding.AppendEncode(out, r.Data)
		out = append(out, wireKey...)
		out = append(out, *r.PartitionKey...)
		if r.ExplicitHashKey != nil {
			out = append(out, wireHash...)
			out = append(out, *r.ExplicitHashKey...)
		}
		out = append(out, wireNext...)
	}
	out = append(out[:len(out)-1], wireStream...)
	out = append(out, *in.StreamName...)
	return append(out, wireEnd...)
}
