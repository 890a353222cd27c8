package source_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/source"
)

// TestGenerator_Key: the key setting holds for generated messages too.
func TestGenerator_Key(t *testing.T) {
	for spec, want := range map[string]string{"/foo": "bar", "/record": "0", "/user/id": ""} {
		key, err := source.ParseKey(spec)
		if err != nil {
			t.Fatal(err)
		}
		m, err := source.NewGenerator(1, 0, key).Next()
		var bad *source.BadMessage
		if m.Key != want || (err != nil) != (want == "") || errors.As(err, &bad) {
			t.Errorf("%s: got key %q, %v, want %q", spec, m.Key, err, want)
		}
	}
}

func TestGenerator(t *testing.T) {
	for _, size := range []int{0, 10, 30, 33, 34, 35, 100, 5000} {
		g := source.NewGenerator(12, size, source.FreshKeys())
		keys := map[string]bool{}
		for i := range int64(12) {
			m, err := g.Next()
			if err != nil {
				t.Fatal(err)
			}
			var got struct {
				Foo    string
				Record int64
			}
			if err := json.Unmarshal(m.Data, &got); err != nil || got.Foo != "bar" || got.Record != i || m.Position != i {
				t.Errorf("size %d: got %s at %d, %v", size, m.Data, m.Position, err)
			}
			natural := len(fmt.Sprintf(`{"foo":"bar","record":%d}`, i))
			if len(m.Data) != size && (size >= natural+len(`,"pad":""`) || len(m.Data) != natural) {
				t.Errorf("got %d bytes, want %d", len(m.Data), size)
			}
			if id, err := uuid.Parse(m.Key); err != nil || id.Version() != 4 {
				t.Errorf("got key %q, want a version 4 UUID", m.Key)
			}
			keys[m.Key] = true
		}
		if _, err := g.Next(); !errors.Is(err, io.EOF) || len(keys) != 12 {
			t.Errorf("got %v and %d keys, want io.EOF after 12", err, len(keys))
		}
	}
}

func TestParseKey(t *testing.T) {
	for name, tc := range map[string]struct{ spec, data, want, problem string }{
		"pointer":                {spec: "/user/id", data: `{"user":{"id":"ann"}}`, want: "ann"},
		"pointer to number":      {spec: "/n", data: `{"n": 1.50 }`, want: "1.50"},
		"pointer to boolean":     {spec: "/n", data: `{"n":true}`, want: "true"},
		"pointer into list":      {spec: "/a/1", data: `{"a":["x","y"]}`, want: "y"},
		"escaped pointer":        {spec: "/a~1b/~0", data: `{"a/b":{"~":"z"}}`, want: "z"},
		"escapes in value":       {spec: "/k", data: `{"k":"\u00e9\n"}`, want: "é\n"},
		"empty member name":      {spec: "/", data: `{"":"e"}`, want: "e"},
		"no such member":         {spec: "/x", data: `{"k":1}`, problem: `no JSON member "x"`},
		"no such element":        {spec: "/2", data: `[1,2]`, problem: `no JSON member "2"`},
		"negative element":       {spec: "/-1", data: `[1,2]`, problem: "no JSON member"},
		"not JSON":               {spec: "/x", data: `hello`, problem: "not JSON"},
		"pointer to null":        {spec: "/k", data: `{"k":null}`, problem: "not a string, number or boolean"},
		"pointer to object":      {spec: "/k", data: `{"k":{}}`, problem: "not a string, number or boolean"},
		"pointer to empty":       {spec: "/k", data: `{"k":""}`, problem: "empty"},
		"256 characters":         {spec: "/k", data: `{"k":"` + strings.Repeat("é", 256) + `"}`, want: strings.Repeat("é", 256)},
		"257 characters":         {spec: "/k", data: `{"k":"` + strings.Repeat("é", 257) + `"}`, problem: "more than 256"},
		"field":                  {spec: "2", data: "  GET\t/index.html 200", want: "/index.html"},
		"field that is not UTF8": {spec: "1", data: "\xff", problem: "not UTF-8"},
		"no such field":          {spec: "4", data: "a b c", problem: "no field 4"},
	} {
		t.Run(name, func(t *testing.T) {
			key, err := source.ParseKey(tc.spec)
			if err != nil {
				t.Fatal(err)
			}
			got, err := key([]byte(tc.data))
			if tc.problem != "" {
				if err == nil || !strings.Contains(err.Error(), tc.problem) {
					t.Errorf("got %q, %v, want %q", got, err, tc.problem)
				}
				return
			}
			if err != nil || got != tc.want {
				t.Errorf("got %q, %v, want %q", got, err, tc.want)
			}
		})
	}
	for _, spec := range []string{"", "0", "-1", "UUID", "user"} {
		if _, err := source.ParseKey(spec); err == nil {
			t.Errorf("got no error for key %q", spec)
		}
	}
}

func constant([]byte) (string, error) { return "k", nil }

// read takes everything from a source: messages by position, or why not.
func read(t *testing.T, s source.Source) map[int64]string {
	t.Helper()
	all := map[int64]string{}
	for {
		m, err := s.Next()
		var bad *source.BadMessage
		switch {
		case errors.Is(err, io.EOF):
			return all
		case errors.As(err, &bad):
			all[bad.Position] = "! " + bad.Reason
		case err != nil:
			t.Fatal(err)
		default:
			all[m.Position] = string(m.Data)
		}
	}
}

func TestLineReader(t *testing.T) {
	long := strings.Repeat("x", 200_000)
	for name, tc := range map[string]struct {
		format, in string
		limit      int
		want       []string
	}{
		"nothing":                 {in: ""},
		"one":                     {in: "a\n", want: []string{"a"}},
		"last line has no end":    {in: "a\nb", want: []string{"a", "b"}},
		"empty lines":             {in: "\n\na\n", want: []string{"", "", "a"}},
		"carriage return stays":   {in: "a\r\n", want: []string{"a\r"}},
		"binary stays":            {in: "\x00\xff\n", want: []string{"\x00\xff"}},
		"longer than the buffer":  {in: long + "\nb\n", limit: 1 << 20, want: []string{long, "b"}},
		"too long is left out":    {in: "a\n" + long + "\nb", limit: 1000, want: []string{"a", "! 200000 bytes with its key; the stream takes at most 1000", "b"}},
		"too long at the end":     {in: "a\n" + long, limit: 1000, want: []string{"a", "! 200000 bytes with its key; the stream takes at most 1000"}},
		"key counts":              {in: "123456789\n1234567890\n", limit: 10, want: []string{"123456789", "! 11 bytes with its key; the stream takes at most 10"}},
		"base64":                  {format: source.Base64, in: "AP8=\nAP8\n\n", want: []string{"\x00\xff", "\x00\xff", ""}},
		"base64 with CRLF":        {format: source.Base64, in: "AP8=\r\nAP8\r\n", want: []string{"\x00\xff", "\x00\xff"}},
		"not base64":              {format: source.Base64, in: "AP8=\n?\nYQ==", want: []string{"\x00\xff", "! not valid base64", "a"}},
		"base64 up to the limit":  {format: source.Base64, in: base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("a"), 99)), limit: 100, want: []string{strings.Repeat("a", 99)}},
		"base64 beyond the limit": {format: source.Base64, in: base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("a"), 100)), limit: 100, want: []string{"! 101 bytes with its key; the stream takes at most 100"}},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.limit == 0 {
				tc.limit = 1 << 20
			}
			if tc.format == "" {
				tc.format = source.Lines
			}
			got := read(t, source.NewLineReader(iotest.HalfReader(strings.NewReader(tc.in)), tc.format, constant, tc.limit))
			if len(got) != len(tc.want) {
				t.Fatalf("got %d lines %v, want %d", len(got), got, len(tc.want))
			}
			for i, want := range tc.want {
				if got[int64(i)+1] != want {
					t.Errorf("line %d: got %.80q, want %.80q", i+1, got[int64(i)+1], want)
				}
			}
		})
	}
}

func TestLineReader_BrokenInput(t *testing.T) {
	r := source.NewLineReader(io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(errors.New("unplugged"))), source.Lines, constant, 100)
	if m, err := r.Next(); err != nil || string(m.Data) != "a" {
		t.Fatalf("got %q, %v", m.Data, err)
	}
	if _, err := r.Next(); err == nil || !strings.Contains(err.Error(), "read line 2: unplugged") {
		t.Errorf("got %v, want the reason and the line", err)
	}
}

// TestLineReader_Property compares the reader with bytes.Split.
func TestLineReader_Property(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		piece := rapid.OneOf(rapid.Just("\n"), rapid.StringN(0, 20, -1), rapid.Map(rapid.IntRange(60_000, 70_000), func(n int) string { return strings.Repeat("y", n) }))
		text := strings.Join(rapid.SliceOfN(piece, 0, 12).Draw(rt, "pieces"), "")
		limit := rapid.SampledFrom([]int{2, 15, 65_000, 1 << 20}).Draw(rt, "limit")
		var want []string
		if text != "" {
			want = strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		}
		got := read(t, source.NewLineReader(strings.NewReader(text), source.Lines, constant, limit))
		if len(got) != len(want) {
			rt.Fatalf("got %d lines, want %d", len(got), len(want))
		}
		for i, line := range want {
			g := got[int64(i)+1]
			if bad := strings.HasPrefix(g, "! "); bad != (len(line)+1 > limit) || !bad && g != line {
				rt.Fatalf("line %d: got %.60q, want %.60q", i+1, g, line)
			}
		}
	})
}
