package wire_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

func TestRequest_DecodeCBOR(t *testing.T) {
	for _, tc := range []struct{ name, body, want string }{
		{"empty", "", `{}`},
		{"map", "\xa2\x61a\x01\x61b\x20", `{"a":1,"b":-1}`},
		{"indefinite", "\xbf\x61a\x9f\x01\x02\xff\xff", `{"a":[1,2]}`},
		{"bytes", "\xa1\x61a\x43\x00\x01\xff", `{"a":"AAH/"}`},
		{"text with quotes", "\xa1\x61a\x63\"\\\n", `{"a":"\"\\\n"}`},
		{"chunks", "\xa1\x61a\x7f\x61x\x61y\xff", `{"a":"xy"}`},
		{"time in milliseconds", "\xa1\x61a\xc1\x1b\x00\x00\x01\x8b\xcf\xe5\x68\x7b", `{"a":1700000000.123}`},
		{"constants", "\xa3\x61a\xf4\x61b\xf5\x61c\xf6", `{"a":false,"b":true,"c":null}`},
		{"float", "\xa1\x61a\xfb\x3f\xf8\x00\x00\x00\x00\x00\x00", `{"a":1.5}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := wire.Request{Encoding: wire.CBOR, Body: []byte(tc.body)}
			var got map[string]any
			if err := r.Decode(&got); err != nil {
				t.Fatal(err)
			}
			raw, err := json.Marshal(got)
			if err != nil || string(raw) != tc.want {
				t.Errorf("got %s %v, want %s", raw, err, tc.want)
			}
		})
	}
}

// TestRequest_DecodeCBOR_Growth: a body is not blown up to something much larger.
func TestRequest_DecodeCBOR_Growth(t *testing.T) {
	const floats = 20_000
	body := append([]byte("\x9a\x00\x00\x4e\x20"), bytes.Repeat([]byte("\xfb\x7f\xef\xff\xff\xff\xff\xff\xff"), floats)...)
	r := wire.Request{Encoding: wire.CBOR, Body: body}
	var got json.RawMessage
	if err := r.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if len(got) > 4*len(body) {
		t.Errorf("got %d bytes of %d", len(got), len(body))
	}
}

// FuzzRequest_DecodeCBOR: whatever comes in, there is an answer or an error.
func FuzzRequest_DecodeCBOR(f *testing.F) {
	f.Add([]byte("\xbf\x61a\x9f\x01\x02\xff\xff"))
	f.Add([]byte("\xa1\x61a\xc1\x1b\x00\x00\x01\x8b\xcf\xe5\x68\x7b"))
	f.Add([]byte("\x9f\x9f\x9f"))
	f.Fuzz(func(_ *testing.T, body []byte) {
		r := wire.Request{Encoding: wire.CBOR, Body: body}
		var into any
		_ = r.Decode(&into)
	})
}
