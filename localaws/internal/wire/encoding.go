package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	strict "github.com/go-json-experiment/json"
)

// Encoding is the content type of a request, and so of its answer.
type Encoding string

// The encodings of the AWS JSON protocols, and the CBOR form of Kinesis.
const (
	JSON10 Encoding = "application/x-amz-json-1.0"
	JSON11 Encoding = "application/x-amz-json-1.1"
	CBOR   Encoding = "application/x-amz-cbor-1.1"
)

func encodingOf(contentType string) (Encoding, bool) {
	base, _, _ := strings.Cut(contentType, ";")
	switch e := Encoding(strings.TrimSpace(base)); e {
	case JSON10, JSON11, CBOR:
		return e, true
	case "application/json":
		return JSON11, true
	}
	return JSON11, false
}

// Decode parses a request body into a pointer to a struct with json tags.
// Unknown members are ignored, as AWS does, and a name in another case is unknown.
// A body that does not parse, names a member twice or holds text that is not
// UTF-8 gives a SerializationException.
func (r *Request) Decode(into any) error {
	body := r.Body
	if r.Encoding == CBOR {
		var err error
		if body, err = cborToJSON(r.Body); err != nil {
			return Errorf("SerializationException", "%v", err)
		}
	}
	if len(bytes.TrimSpace(body)) == 0 {
		body = []byte("{}")
	}
	if err := strict.Unmarshal(body, into); err != nil {
		return Errorf("SerializationException", "%v", err)
	}
	return nil
}

// append encodes an answer.
func (e Encoding) append(dst []byte, answer any) ([]byte, error) {
	if answer == nil {
		if e == CBOR {
			return append(dst, 0xa0), nil
		}
		return append(dst, "{}"...), nil
	}
	if a, ok := answer.(Appender); ok {
		if e == CBOR {
			return a.AppendCBOR(dst), nil
		}
		return a.AppendJSON(dst), nil
	}
	if e == CBOR {
		return appendCBOR(dst, answer)
	}
	w := bytes.NewBuffer(dst)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(answer); err != nil {
		return dst, fmt.Errorf("encode answer: %w", err)
	}
	return bytes.TrimSuffix(w.Bytes(), []byte("\n")), nil
}

// Time is a time in the AWS JSON form: seconds since 1970 with a fraction of
// milliseconds. In CBOR it is tag 1 with whole milliseconds, as the service and
// its Java client have it.
type Time struct{ time.Time }

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) { return AppendTimeJSON(nil, t.Time), nil }

// UnmarshalJSON implements json.Unmarshaler.
func (t *Time) UnmarshalJSON(raw []byte) error {
	seconds, err := strconv.ParseFloat(string(raw), 64)
	if err != nil {
		return fmt.Errorf("parse time: want seconds since 1970: %w", err)
	}
	t.Time = time.UnixMilli(int64(math.Round(seconds * 1000)))
	return nil
}

// AppendTimeJSON appends seconds since 1970 with a fraction of milliseconds.
func AppendTimeJSON(dst []byte, t time.Time) []byte {
	ms := t.UnixMilli()
	dst = strconv.AppendInt(dst, ms/1000, 10)
	if rest := ms % 1000; rest != 0 {
		dst = append(dst, '.', byte('0'+rest/100), byte('0'+rest/10%10), byte('0'+rest%10))
	}
	return dst
}
