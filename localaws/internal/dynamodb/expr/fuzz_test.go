package expr_test

import (
	"strings"
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/expr"
)

func item(t testing.TB, s string) attr.Item {
	t.Helper()
	i, err := attr.ParseItem([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func scope(t testing.TB) *expr.Scope {
	t.Helper()
	s, err := expr.NewScope(map[string]string{"#n": "n", "#m": "m"}, item(t, `{":n":{"N":"1"},":s":{"S":"x"},":l":{"L":[]},":t":{"SS":["x"]}}`))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const subject = `{"n":{"N":"5"},"s":{"S":"xyz"},"l":{"L":[{"N":"1"},{"M":{"a":{"S":"b"}}}]},"m":{"M":{"a":{"M":{"b":{"N":"1"}}}}},"t":{"SS":["x","y"]}}`

// FuzzExpressions parses anything as all four kinds of expression: nothing may
// panic, and the item an update is applied to must stay as it was.
func FuzzExpressions(f *testing.F) {
	for _, s := range []string{
		"n = :n AND (s <> :s OR NOT attribute_exists(#m.a.b))", "size(l) BETWEEN :n AND n", "s IN (:s, s2)", "begins_with(s, :s)", "contains(t, :s)",
		"SET n = n + :n, l[5] = :s, m.a.b = if_not_exists(q, :n) REMOVE l[0], l[1].a ADD t :t DELETE x :t", "SET l = list_append(l, :l)", "s, l[1].a, #m.a",
		"((s = :s))", "(s) = (:s)", "l[99999999999999999999] = :s", strings.Repeat("(", 500), strings.Repeat("NOT ", 500) + "s = :s", "SET n = " + strings.Repeat("if_not_exists(n,", 200),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		i, before := item(t, subject), item(t, subject)
		if c, err := expr.ParseCondition("FilterExpression", src, scope(t)); err == nil {
			c.Holds(i)
			c.Holds(nil)
			expr.Paths(c)
		}
		if p, err := expr.ParseProjection(src, scope(t)); err == nil {
			p.Of(i)
		}
		_, _ = expr.ParseKeyCondition(src, scope(t)) // must not panic
		if u, err := expr.ParseUpdate(src, scope(t)); err == nil {
			if _, err := u.Apply(nil); err == nil {
				_, _ = u.Apply(i)
			}
			_, _ = u.Apply(i)
		}
		if !i.Equal(before) {
			t.Errorf("%q changed the item to %s", src, i.AppendJSON(nil))
		}
	})
}

func BenchmarkParseCondition(b *testing.B) {
	values := item(b, `{":owner":{"S":"w"},":counter":{"N":"1"}}`)
	for b.Loop() {
		s, err := expr.NewScope(nil, values)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := expr.ParseCondition("ConditionExpression", "leaseOwner = :owner AND leaseCounter = :counter", s); err != nil {
			b.Fatal(err)
		}
	}
}
