package attr_test

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
)

// decimal draws a number as text, in any of the forms the service takes.
func decimal() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		s := rapid.SampledFrom([]string{"", "-", "+"}).Draw(t, "sign")
		whole := rapid.StringMatching(`[0-9]{0,20}`).Draw(t, "whole")
		fraction := rapid.StringMatching(`[0-9]{0,18}`).Draw(t, "fraction")
		if whole+fraction == "" {
			whole = "0"
		}
		s += whole
		if fraction != "" || rapid.Bool().Draw(t, "point") {
			s += "." + fraction
		}
		return s + rapid.StringMatching(`([eE][+-]?[0-9]{1,2})?`).Draw(t, "exponent")
	})
}

func rational(t *rapid.T, s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		t.Fatalf("math/big does not read %q", s)
	}
	return r
}

func parse(t *rapid.T, s string) attr.Number {
	n, err := attr.ParseNumber(s)
	if err != nil {
		t.Fatalf("ParseNumber(%q): %v", s, err)
	}
	return n
}

func TestNumber_AgainstBig(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := decimal().Draw(t, "a"), decimal().Draw(t, "b")
		n, m := parse(t, a), parse(t, b)
		x, y := rational(t, a), rational(t, b)
		if got := rational(t, n.String()); got.Cmp(x) != 0 {
			t.Fatalf("%s is written as %s", a, n)
		}
		if got, want := n.Cmp(m), x.Cmp(y); got != want {
			t.Fatalf("Cmp(%s, %s) = %d, want %d", a, b, got, want)
		}
		if (n.String() == m.String()) != (x.Cmp(y) == 0) {
			t.Fatalf("%s and %s are written as %s and %s", a, b, n, m)
		}
		if sum, err := n.Add(m); err == nil {
			if want := new(big.Rat).Add(x, y); rational(t, sum.String()).Cmp(want) != 0 {
				t.Fatalf("%s + %s = %s", a, b, sum)
			}
		}
		if difference, err := n.Sub(m); err == nil {
			if want := new(big.Rat).Sub(x, y); rational(t, difference.String()).Cmp(want) != 0 {
				t.Fatalf("%s - %s = %s", a, b, difference)
			}
		}
	})
}

// TestValue_AppendOrdered compares the order of the bytes with that of the values.
func TestValue_AppendOrdered(t *testing.T) {
	text := rapid.StringOf(rapid.SampledFrom([]rune{0, 1, 'a', 'b', 0xff, 0xfffd, 0x1f600}))
	rapid.Check(t, func(t *rapid.T) {
		var v, w attr.Value
		if rapid.Bool().Draw(t, "numbers") {
			v, w = attr.Num(parse(t, decimal().Draw(t, "a"))), attr.Num(parse(t, decimal().Draw(t, "b")))
		} else {
			v, w = attr.String(text.Draw(t, "a")), attr.String(text.Draw(t, "b"))
		}
		want, ok := attr.Compare(v, w)
		if !ok {
			t.Fatal("the values have no order")
		}
		a, b := string(v.AppendOrdered(nil)), string(w.AppendOrdered(nil))
		if got := strings.Compare(a, b); got != want {
			t.Fatalf("%q and %q are %q and %q: order %d, want %d", v.Text, w.Text, a, b, got, want)
		}
		if a != b && strings.HasPrefix(b, a) {
			t.Fatalf("%q is the beginning of %q", a, b)
		}
		if v.Kind == attr.S {
			isPrefix := strings.HasPrefix(w.Text, v.Text)
			if got := strings.HasPrefix(b, string(v.AppendOrderedPrefix(nil))); got != isPrefix {
				t.Fatalf("%q begins with %q: %v, want %v", w.Text, v.Text, got, isPrefix)
			}
		}
	})
}

// TestValue_AppendOrderedNumbers has neighbors whose digits begin alike.
func TestValue_AppendOrderedNumbers(t *testing.T) {
	last := ""
	for i, s := range strings.Fields("-1E20 -124 -123.4 -123 -120 -12.1 -12 -1.2 -1 -0.12 -1E-20 0 1E-20 0.12 0.121 1 1.2 12 12.1 120 123 123.4 124 1E20") {
		n, err := attr.ParseNumber(s)
		if err != nil {
			t.Fatal(err)
		}
		ordered := string(attr.Num(n).AppendOrdered(nil))
		if i > 0 && (ordered <= last || strings.HasPrefix(ordered, last)) {
			t.Errorf("%s is not above the number before it, or its form only goes on", s)
		}
		last = ordered
	}
}

func FuzzParseNumber(f *testing.F) {
	for _, s := range []string{"0", "-1.50e2", "1E-130", "9.9E125", ".5", "5.", "1e", "+-1", strings.Repeat("9", 40)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := attr.ParseNumber(s)
		if err != nil {
			return
		}
		canonical := n.String()
		again, err := attr.ParseNumber(canonical)
		if err != nil || again.String() != canonical || again.Cmp(n) != 0 {
			t.Errorf("%q is written as %q, which reads as %q, %v", s, canonical, again, err)
		}
	})
}

func TestValue_Size(t *testing.T) {
	for in, want := range map[string]int{
		`{"S":"grüße"}`: 7, `{"B":"AAEC"}`: 3, `{"BOOL":true}`: 1, `{"NULL":true}`: 1,
		`{"N":"0"}`: 1, `{"N":"1"}`: 2, `{"N":"12"}`: 2, `{"N":"123"}`: 3, `{"N":"-12"}`: 3, `{"N":"1.2"}`: 3, `{"N":"123.4"}`: 4, `{"N":"100000"}`: 2,
		`{"SS":["a","bc"]}`: 3, `{"L":[]}`: 3, `{"L":[{"S":"a"},{"S":"b"}]}`: 7, `{"M":{}}`: 3, `{"M":{"k":{"S":"abc"}}}`: 8,
	} {
		v, err := attr.ParseValue([]byte(in))
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got := v.Size(); got != want {
			t.Errorf("%s counts %d bytes, want %d", in, got, want)
		}
	}
}
