package cbor_test

import (
	"strings"
	"testing"
	"time"

	other "github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/cbor"
)

// TestAppend has another decoder, and Reader, read what is appended.
func TestAppend(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Repeat("x", rapid.SampledFrom([]int{0, 23, 24, 255, 256, 65_535, 65_536}).Draw(t, "length"))
		data := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "data")
		n := rapid.Int64().Draw(t, "n")
		at := time.UnixMilli(rapid.Int64Range(100_000_000_000, 4_000_000_000_000).Draw(t, "at"))
		b := cbor.AppendBytes(cbor.AppendText(cbor.AppendText(cbor.AppendText(cbor.AppendMap(nil), "Text"), text), "Data"), data)
		b = cbor.AppendInt(cbor.AppendArray(cbor.AppendText(b, "List"), 1), n)
		b = cbor.AppendEnd(cbor.AppendTime(cbor.AppendText(b, "Time"), at))

		var v struct {
			Text string
			Data []byte
			List []int64
			Time other.Tag
		}
		if err := other.Unmarshal(b, &v); err != nil {
			t.Fatal(err)
		}
		if v.Text != text || string(v.Data) != string(data) || len(v.List) != 1 || v.List[0] != n || v.Time.Number != 1 || v.Time.Content != uint64(at.UnixMilli()) {
			t.Fatalf("the other reads %+v", v)
		}
		seen := 0
		r := cbor.New(b)
		ok := r.Map(func(key []byte) bool {
			seen++
			switch string(key) {
			case "Text":
				s, ok := r.Text()
				return ok && string(s) == text
			case "Data":
				s, ok := r.Bytes()
				return ok && string(s) == string(data)
			case "List":
				return r.Array(func(n uint64) { seen += int(n) }, func() bool { i, ok := r.Int(); return ok && i == n })
			}
			got, ok := r.Time()
			return ok && got.Equal(at)
		})
		if !ok || !r.Done() || seen != 5 {
			t.Fatalf("read %v, %d seen", ok, seen)
		}
	})
}

// TestReader_Skip skips what is CBOR, and nothing else.
func TestReader_Skip(t *testing.T) {
	for in, want := range map[string]bool{
		"\x00": true, "\x20": true, "\x1b\x00\x00\x00\x00\x00\x00\x00\x01": true, "\x40": true, "\x5f\x41a\xff": true, "\x62ab": true, "\x82\x01\x9f\xff": true,
		"\xbf\x61a\xf5\xff": true, "\xc1\xfb\x00\x00\x00\x00\x00\x00\x00\x00": true, "\xf6": true, "\xf4": true, "\xf9\x00\x00": true, "\xfa\x00\x00\x00\x00": true,
		"": false, "\xff": false, "\x1c": false, "\x1f": false, "\x18": false, "\x43ab": false, "\x61\xff": false, "\x82\x01": false, "\xa1\x01\x01": false, "\xbf\x61a": false,
		"\xc1": false, "\xe0": false, "\xf8\x20": false, "\x5f\x61a\xff": false, "\x5f\x41a": false, "\xdf\x01": false, strings.Repeat("\x81", 16) + "\x00": true, strings.Repeat("\x81", 17) + "\x00": false,
	} {
		r := cbor.New([]byte(in))
		if got := r.Skip() && r.Done(); got != want {
			t.Errorf("%x: got %v, want %v", in, got, want)
		}
	}
}
