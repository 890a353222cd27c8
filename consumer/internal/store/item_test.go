package store_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/handler"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/store"
)

// FuzzAppendJSON compares with json.Valid, and reads what is appended back.
func FuzzAppendJSON(f *testing.F) {
	for _, s := range []string{
		`{"foo":"bar","record":1}`, `[]`, `{}`, ` [1 , -0.5e+3,true,false,null,"\u00e9\n"] `, `{"a":{"b":[[]]}}`, ``, `01`, `1.`, `-`, `"\x"`, `"\u12"`,
		`{"a":1,}`, `[1 2]`, "\"\x01\"", "\"\xff\"", `nul`, `{"a"}`, `1e`, `[`, `"`, "\ufeff{}", string(bytes.Repeat([]byte("["), 200)) + string(bytes.Repeat([]byte("]"), 200)),
	} {
		f.Add([]byte(s))
	}
	for i := range 40 { // every place in a word
		f.Add([]byte(`"` + strings.Repeat("é!#x", 10)[:i] + `\"\\\n` + strings.Repeat("x", 40-i) + `"`))
		f.Add([]byte(`["` + strings.Repeat("!", i) + "\x1f" + `"]`))
		f.Add([]byte(`["` + strings.Repeat("#", i) + "\x7f" + `",` + "\r\n\t" + `1]`))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, before := range []string{"", "before, with room", strings.Repeat(" ", 30)} {
			b, ok := store.AppendJSON(append(make([]byte, 0, 64), before...), data)
			if want := json.Valid(data) && utf8.Valid(data); ok != want {
				t.Fatalf("%q: got %v, want %v", data, ok, want)
			}
			if !bytes.HasPrefix(b, []byte(before)) || !ok && len(b) != len(before) {
				t.Fatalf("%q: got %q, want what was there", data, b)
			}
			if !ok {
				continue
			}
			var text string
			quoted := append(append([]byte{'"'}, b[len(before):]...), '"')
			if err := json.Unmarshal(quoted, &text); err != nil || text != string(data) {
				t.Fatalf("%q: got %s, %v", data, quoted, err)
			}
		}
	})
}

// FuzzAppendItem reads every item back as JSON and compares it with what went
// in.
func FuzzAppendItem(f *testing.F) {
	f.Add("shardId-000000000000", "49", int64(0), "key", []byte(`{"foo":"bar","quote":"\""}`))
	f.Add("s", "1", int64(7), "k\"\\\n\x01é", []byte{0xff, 0})
	f.Add("s", "1", int64(0), "", []byte{})
	f.Fuzz(func(t *testing.T, shard, sequence string, sub int64, key string, data []byte) {
		for _, s := range []string{shard, sequence, key} {
			if !utf8.ValidString(s) {
				t.Skip("Kinesis sends UTF-8")
			}
		}
		m := handler.Message{Shard: shard, Sequence: sequence, SubSequence: sub, PartitionKey: key, Data: data, ArrivedAt: time.UnixMilli(1_700_000_000_123)}
		var item map[string]struct {
			S, N *string
			B    []byte
		}
		encoded := store.AppendItem(nil, &m, time.Hour)
		if err := json.Unmarshal(encoded, &item); err != nil {
			t.Fatalf("%s: %v", encoded, err)
		}
		for name, want := range map[string]string{"id": m.ID(), "partitionKey": key, "shardId": shard, "sequenceNumber": sequence} {
			if got := item[name].S; got == nil || *got != want {
				t.Errorf("%s: got %v, want %q", name, got, want)
			}
		}
		if got := item["arrivedAt"].N; got == nil || *got != "1700000000123" {
			t.Errorf("arrivedAt: got %v", got)
		}
		if got := item["expiresAt"].N; got == nil || *got != "1700003600" {
			t.Errorf("expiresAt: got %v", got)
		}
		text := json.Valid(data) && utf8.Valid(data)
		switch meta := item["meta"]; {
		case text && (meta.S == nil || *meta.S != string(data)):
			t.Errorf("meta: got %v, want the text as it came", meta.S)
		case !text && (meta.S != nil || !bytes.Equal(meta.B, data)):
			t.Errorf("meta: got %q, want the bytes", meta.B)
		}
	})
}
