package expr

import (
	"cmp"
	"errors"
	"maps"
	"slices"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
)

const errBadPath = "The document path provided in the update expression is invalid for update"

// change is one write of an update: the zero Value removes.
type change struct {
	path  Path
	value attr.Value
}

// Apply returns the item as the update makes it. The given item, which may be
// nil, is not changed; every operand is read from it.
func (u *Update) Apply(item attr.Item) (attr.Item, error) {
	changes, err := u.changes(item)
	if err != nil {
		return nil, err
	}
	// Lists are written from the front, so that elements past their end are
	// appended in order, and cut from the back, so that indexes hold.
	slices.SortStableFunc(changes, func(a, b change) int {
		if a.value.Present() != b.value.Present() {
			if a.value.Present() {
				return -1
			}
			return 1
		}
		if a.value.Present() {
			return comparePaths(a.path, b.path)
		}
		return comparePaths(b.path, a.path)
	})
	out := maps.Clone(item)
	if out == nil {
		out = make(attr.Item, len(changes))
	}
	for _, c := range changes {
		if err := c.apply(out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func comparePaths(p, q Path) int {
	return slices.CompareFunc(p, q, func(a, b step) int {
		return cmp.Or(cmp.Compare(a.index, b.index), cmp.Compare(a.name, b.name))
	})
}

func (u *Update) changes(item attr.Item) ([]change, error) {
	changes := make([]change, 0, len(u.sets)+len(u.removes)+len(u.adds)+len(u.deletes))
	for _, a := range u.sets {
		v, err := a.value.eval(item)
		if err != nil {
			return nil, err
		}
		changes = append(changes, change{a.path, v})
	}
	for _, path := range u.removes {
		changes = append(changes, change{path: path})
	}
	for _, o := range u.adds {
		v, err := add(o.path.get(item), o.value)
		if err != nil {
			return nil, u.worded(err)
		}
		changes = append(changes, change{o.path, v})
	}
	for _, o := range u.deletes {
		old := o.path.get(item)
		if !old.Present() {
			continue
		}
		if old.Kind != o.value.Kind {
			return nil, u.worded(attr.Invalid(errOperandType))
		}
		left, _ := attr.Difference(old, o.value)
		if len(left.Set()) == 0 {
			left = attr.Value{}
		}
		changes = append(changes, change{o.path, left})
	}
	return changes, nil
}

// worded gives an error the words of the parameter that the update came from.
func (u *Update) worded(err error) error {
	if u.legacy && errors.Is(err, attr.Invalid(errOperandType)) {
		return attr.Invalid("Type mismatch for attribute to update")
	}
	return err
}

func add(old, v attr.Value) (attr.Value, error) {
	switch {
	case !old.Present():
		return v, nil
	case old.Kind != v.Kind:
		return old, attr.Invalid(errOperandType)
	case v.Kind == attr.N:
		n, err := old.Number().Add(v.Number())
		return attr.Num(n), err
	case v.Kind == attr.L: // only AttributeUpdates get here
		return attr.NewList(slices.Concat(old.List(), v.List())), nil
	default:
		return attr.Union(old, v), nil
	}
}

// apply writes into item, which is the caller's own copy at its top level.
func (c change) apply(item attr.Item) error {
	top := c.path.Top()
	if len(c.path) == 1 {
		put(item, top, c.value)
		return nil
	}
	v, err := c.within(item[top], c.path[1:])
	if err == nil {
		item[top] = v
	}
	return err
}

func put(item attr.Item, name string, v attr.Value) {
	if v.Present() {
		item[name] = v
	} else {
		delete(item, name)
	}
}

// within returns a copy of v changed at the rest of the path.
func (c change) within(v attr.Value, rest []step) (attr.Value, error) {
	s, last := rest[0], len(rest) == 1
	switch {
	case s.index < 0 && v.Kind == attr.M:
		members := maps.Clone(v.Map())
		if last {
			put(members, s.name, c.value)
			return attr.NewMap(members), nil
		}
		inner, err := c.within(members[s.name], rest[1:])
		if err == nil {
			members[s.name] = inner
		}
		return attr.NewMap(members), err
	case s.index >= 0 && v.Kind == attr.L:
		return c.withinList(v, rest)
	default:
		return v, attr.Invalid(errBadPath)
	}
}

func (c change) withinList(v attr.Value, rest []step) (attr.Value, error) {
	index, last := rest[0].index, len(rest) == 1
	list := slices.Clone(v.List())
	switch {
	case !last && index >= len(list):
		return v, attr.Invalid(errBadPath)
	case !last:
		inner, err := c.within(list[index], rest[1:])
		list[index] = inner
		return attr.NewList(list), err
	case !c.value.Present():
		if index < len(list) {
			list = slices.Delete(list, index, index+1)
		}
	case index < len(list):
		list[index] = c.value
	default:
		list = append(list, c.value)
	}
	return attr.NewList(list), nil
}
