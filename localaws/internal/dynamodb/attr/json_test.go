package attr_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
)

const document = `{"id":{"S":"shardId-000000000001"},"counter":{"N":"1.50"},"held":{"M":{"a":{"L":[{"N":"1"},{"BOOL":true},{"NULL":true}]}}},` +
	`"set":{"NS":["10","9"]},"raw":{"B":"AAH/"},"text":{"S":"q\"\\\n\u0001\ud83d\ude00é"}}`

func TestItem_JSON(t *testing.T) {
	item, err := attr.ParseItem([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := item["text"].Text, "q\"\\\n\x01😀é"; got != want {
		t.Errorf("text is %q, want %q", got, want)
	}
	if got := item["counter"].Text; got != "1.5" {
		t.Errorf("the number is %s, want it in canonical form", got)
	}
	if got := item["set"].Set(); len(got) != 2 || got[0] != "9" {
		t.Errorf("the set is %v, want it sorted as numbers", got)
	}
	again, err := attr.ParseItem(item.AppendJSON(nil))
	if err != nil || !again.Equal(item) {
		t.Errorf("encoded and decoded: %v, %v", again, err)
	}
}

func TestItem_Errors(t *testing.T) {
	for in, wantInvalid := range map[string]bool{
		`{"a":{}}`: true, `{"a":{"S":"x","N":"1"}}`: true, `{"a":{"N":"x"}}`: true, `{"a":{"SS":[]}}`: true, `{"a":{"SS":["x","x"]}}`: true,
		`{"a":{"NS":["1","1.0"]}}`: true, `{"a":{"NULL":false}}`: true, `{"":{"S":"x"}}`: true,
		`{"a":{"S":1}}`: false, `{"a":"x"}`: false, `{"a":{"S":"x}`: false, `{"a":{"S":"\x"}}`: false, `[]`: false, `{"a":{"B":"*"}}`: false, `{"a":{"S":"x"}} x`: false,
		"{\"a\":{\"S\":\"x\xff\xfe\"}}": false, "{\"a\xc3\":{\"S\":\"x\"}}": false,
		`{"a":{"S":"\ud800"}}`: false, `{"a":{"S":"\ude00\ud83d"}}`: false, `{"a":{"S":"\ud800\u0041"}}`: false,
	} {
		_, err := attr.ParseItem([]byte(in))
		_, isInvalid := errors.AsType[attr.Invalid](err)
		if err == nil || isInvalid != wantInvalid {
			t.Errorf("%s: got %v (%T), want a validation error: %v", in, err, err, wantInvalid)
		}
	}
}

func FuzzParseItem(f *testing.F) {
	f.Add([]byte(document))
	f.Add([]byte(`{"a":{"L":[{"M":{"b":{"BS":["AA=="]}}}]}}`))
	f.Add([]byte(`{"a":{"S":"\ud83d"}}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		item, err := attr.ParseItem(in)
		if err != nil {
			return
		}
		out := item.AppendJSON(nil)
		if !json.Valid(out) {
			t.Fatalf("%q is encoded as %q, which is no JSON", in, out)
		}
		again, err := attr.ParseItem(out)
		if err != nil || !again.Equal(item) || again.Size() != item.Size() {
			t.Errorf("%q is encoded as %q, which decodes as %v, %v", in, out, again, err)
		}
	})
}

func BenchmarkParseItem(b *testing.B) {
	in := []byte(document)
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		if _, err := attr.ParseItem(in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkItem_AppendJSON(b *testing.B) {
	item, err := attr.ParseItem([]byte(document))
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 0, 1024)
	for b.Loop() {
		buf = item.AppendJSON(buf[:0])
	}
}
