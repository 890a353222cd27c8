package expr

import (
	"strconv"
	"strings"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
)

// step is one element of a document path: the name of a member, or, where name
// is not used, an index of a list.
type step struct {
	name  string
	index int // -1 for a name
}

// Path names an attribute, or a part of one, such as a.b[2].
type Path []step

// Attribute makes the path of a top-level attribute.
func Attribute(name string) Path { return Path{{name: name, index: -1}} }

// Top is the name of the top-level attribute.
func (p Path) Top() string { return p[0].name }

// String is the path as the service prints it, such as [a, b, [2]].
func (p Path) String() string {
	parts := make([]string, len(p))
	for i, s := range p {
		parts[i] = s.name
		if s.index >= 0 {
			parts[i] = "[" + strconv.Itoa(s.index) + "]"
		}
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// get is the value at the path; its Kind is None where there is none.
func (p Path) get(item attr.Item) attr.Value {
	v := item[p[0].name]
	for _, s := range p[1:] {
		switch {
		case s.index < 0 && v.Kind == attr.M:
			v = v.Map()[s.name]
		case s.index >= 0 && v.Kind == attr.L && s.index < len(v.List()):
			v = v.List()[s.index]
		default:
			return attr.Value{}
		}
	}
	return v
}

// overlap compares two paths that one expression may not have together: one
// lies within the other, or they take one place for a map and for a list.
func overlap(p, q Path) (overlaps, conflicts bool) {
	for i := range min(len(p), len(q)) {
		if p[i] == q[i] {
			continue
		}
		return false, (p[i].index < 0) != (q[i].index < 0)
	}
	return true, false
}

// disjoint is the service's error where two paths overlap or conflict.
func disjoint(kind string, paths []Path) error {
	for i, p := range paths {
		for _, q := range paths[:i] {
			overlaps, conflicts := overlap(q, p)
			if overlaps {
				return attr.Invalid("Invalid " + kind + ": Two document paths overlap with each other; must remove or rewrite one of these paths; path one: " + q.String() + ", path two: " + p.String())
			}
			if conflicts {
				return attr.Invalid("Invalid " + kind + ": Two document paths conflict with each other; must remove or rewrite one of these paths; path one: " + q.String() + ", path two: " + p.String())
			}
		}
	}
	return nil
}
