package dynamodb

import (
	"slices"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/ordered"
)

// index is a secondary index: the rows that have its key, in that key's order.
type index struct {
	name       string
	local      bool
	key        schema
	base       schema
	projection projection
	provision  provision
	rows       *ordered.Map[*row]
	size       int64
}

// projection is what an index shows of an item.
type projection struct {
	ProjectionType   string
	NonKeyAttributes []string `json:",omitempty"`
}

// order is the place of a row in the index; ok is false where it has none.
func (x *index) order(base string, r *row) (order string, ok bool) {
	if r == nil {
		return "", false
	}
	for _, a := range x.key.attributes() {
		if r.item[a.name].Kind != a.kind {
			return "", false
		}
	}
	return string(append(x.key.order(r.item), base...)), true
}

func (x *index) replace(base string, old, fresh *row) {
	before, was := x.order(base, old)
	after, is := x.order(base, fresh)
	if was && (!is || before != after) {
		x.rows.Delete(before)
	}
	if was {
		x.size -= int64(x.view(old).size)
	}
	if is {
		x.rows.Set(after, fresh)
		x.size += int64(x.view(fresh).size)
	}
}

// view is a row as the index shows it.
func (x *index) view(r *row) *row {
	if x.projection.ProjectionType == "ALL" {
		return r
	}
	item := make(attr.Item, 4)
	for _, a := range append(x.base.attributes(), x.key.attributes()...) {
		item[a.name] = r.item[a.name]
	}
	for _, name := range x.projection.NonKeyAttributes {
		if v := r.item[name]; v.Present() {
			item[name] = v
		}
	}
	return newRow(item)
}

// shows reports whether the index has an attribute of its items.
func (x *index) shows(name string) bool {
	return x.projection.ProjectionType == "ALL" || x.key.has(name) || x.base.has(name) || slices.Contains(x.projection.NonKeyAttributes, name)
}

// writeUnits is what a change of a row costs in the index.
func (x *index) writeUnits(old, fresh *row) float64 {
	before, was := x.order("", old)
	after, is := x.order("", fresh)
	switch {
	case was && is && before == after:
		a, b := x.view(old), x.view(fresh)
		if a.item.Equal(b.item) {
			return 0
		}
		return writeUnits(max(a.size, b.size))
	case was && is:
		return writeUnits(x.view(old).size) + writeUnits(x.view(fresh).size)
	case was:
		return writeUnits(x.view(old).size)
	case is:
		return writeUnits(x.view(fresh).size)
	default:
		return 0
	}
}

// check refuses an item whose attributes cannot be the index's key.
func (x *index) check(item attr.Item) error {
	for _, a := range x.key.attributes() {
		v := item[a.name]
		switch {
		case !v.Present():
		case v.Kind != a.kind:
			return invalid("One or more parameter values were invalid: Type mismatch for Index Key " + a.name + " Expected: " + a.kind.String() +
				" Actual: " + v.Kind.String() + " IndexName: " + x.name)
		case v.Text == "":
			kind := "string"
			if v.Kind == attr.B {
				kind = "binary"
			}
			return invalid("One or more parameter values are not valid. A value specified for a secondary index key is not supported. " +
				"The AttributeValue for a key attribute cannot contain an empty " + kind + " value. IndexName: " + x.name + ", IndexKey: " + a.name)
		}
	}
	return x.key.checkLengths(item)
}
