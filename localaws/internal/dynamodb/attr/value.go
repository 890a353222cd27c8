package attr

import (
	"maps"
	"slices"
	"strings"
)

// Kind is the type of a value.
type Kind uint8

// The ten types of attribute values. None is the kind of the zero Value,
// which stands for a missing attribute.
const (
	None Kind = iota
	S
	N
	B
	SS
	NS
	BS
	M
	L
	Bool
	Null
)

// String is the type's descriptor, such as "SS".
func (k Kind) String() string {
	names := [...]string{"", "S", "N", "B", "SS", "NS", "BS", "M", "L", "BOOL", "NULL"}
	if int(k) >= len(names) {
		return ""
	}
	return names[k]
}

// KindOf is the inverse of Kind.String; None for an unknown descriptor.
func KindOf(name string) Kind {
	for k := S; k <= Null; k++ {
		if k.String() == name {
			return k
		}
	}
	return None
}

// Value is one attribute value. Text holds S, N in canonical form, and the raw
// bytes of B. What has parts keeps them behind a pointer, so that the values of
// most items, which have none, stay small.
type Value struct {
	Text  string
	parts *parts
	Kind  Kind
	Bool  bool
}

// parts are the content of a set, a list or a map.
type parts struct {
	set  []string
	list []Value
	item Item
}

// Set is the sorted members of an SS, NS or BS, in the forms that Text has. It
// is not to be changed; nor are List and Map.
func (v Value) Set() []string {
	if v.parts == nil {
		return nil
	}
	return v.parts.set
}

// List is the elements of an L.
func (v Value) List() []Value {
	if v.parts == nil {
		return nil
	}
	return v.parts.list
}

// Map is the members of an M.
func (v Value) Map() Item {
	if v.parts == nil {
		return nil
	}
	return v.parts.item
}

// Item is a set of named values: a table's row, a key, or the content of a map.
type Item map[string]Value

// String makes a value of type S.
func String(s string) Value { return Value{Kind: S, Text: s} }

// Num makes a value of type N.
func Num(n Number) Value { return Value{Kind: N, Text: n.String()} }

// NewList makes a value of type L.
func NewList(list []Value) Value { return Value{Kind: L, parts: &parts{list: list}} }

// NewMap makes a value of type M.
func NewMap(item Item) Value { return Value{Kind: M, parts: &parts{item: item}} }

func setOf(kind Kind, members []string) Value {
	return Value{Kind: kind, parts: &parts{set: members}}
}

// Present reports whether the value stands for an attribute at all.
func (v Value) Present() bool { return v.Kind != None }

// Number is the value of an N.
func (v Value) Number() Number { return mustNumber(v.Text) }

// IsSet reports whether the value is one of the three set types.
func (v Value) IsSet() bool { return v.Kind == SS || v.Kind == NS || v.Kind == BS }

// Element is the scalar type of a set's members.
func (k Kind) Element() Kind {
	switch k {
	case SS:
		return S
	case NS:
		return N
	case BS:
		return B
	default:
		return None
	}
}

// Equal reports whether two values are of one type and the same content.
func (v Value) Equal(w Value) bool {
	if v.Kind != w.Kind {
		return false
	}
	switch v.Kind {
	case S, N, B:
		return v.Text == w.Text
	case SS, NS, BS:
		return slices.Equal(v.Set(), w.Set())
	case L:
		return slices.EqualFunc(v.List(), w.List(), Value.Equal)
	case M:
		return v.Map().Equal(w.Map())
	case Bool:
		return v.Bool == w.Bool
	default:
		return true
	}
}

// Equal reports whether both items have the same attributes.
func (i Item) Equal(j Item) bool { return maps.EqualFunc(i, j, Value.Equal) }

// Compare orders two values of one scalar type; ok is false for any others,
// which have no order.
func Compare(v, w Value) (order int, ok bool) {
	if v.Kind != w.Kind {
		return 0, false
	}
	switch v.Kind {
	case S, B:
		return strings.Compare(v.Text, w.Text), true
	case N:
		return compareNumbers(v.Text, w.Text), true
	default:
		return 0, false
	}
}

// newSet sorts members, so that equal sets are equal slices.
func newSet(kind Kind, members []string) Value {
	if kind == NS {
		slices.SortFunc(members, compareNumbers)
	} else {
		slices.Sort(members)
	}
	return setOf(kind, members)
}

// Union is the set v with w's members added. Both are of one set type.
func Union(v, w Value) Value {
	have := members(v)
	all := slices.Clone(v.Set())
	for _, m := range w.Set() {
		if !have[m] {
			all = append(all, m)
		}
	}
	return newSet(v.Kind, all)
}

// Difference is the set v without w's members; ok is false when nothing is
// left, since a set cannot be empty.
func Difference(v, w Value) (rest Value, ok bool) {
	gone := members(w)
	left := make([]string, 0, len(v.Set()))
	for _, m := range v.Set() {
		if !gone[m] {
			left = append(left, m)
		}
	}
	return setOf(v.Kind, left), len(left) > 0
}

func members(v Value) map[string]bool {
	in := make(map[string]bool, len(v.Set()))
	for _, m := range v.Set() {
		in[m] = true
	}
	return in
}
