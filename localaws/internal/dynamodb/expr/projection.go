package expr

import (
	"maps"
	"slices"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
)

const projectionKind = "ProjectionExpression"

// Projection is a list of paths to be returned; nil stands for everything.
type Projection []Path

// ParseProjection parses a projection expression.
func ParseProjection(src string, scope *Scope) (Projection, error) {
	p := newParser(projectionKind, src, scope)
	var paths Projection
	for p.err == nil {
		paths = append(paths, p.path())
		if !p.accept(",") {
			break
		}
	}
	if err := p.finish(); err != nil {
		return nil, err
	}
	return paths, disjoint(projectionKind, paths)
}

// Of returns the parts of item that the projection names.
func (p Projection) Of(item attr.Item) attr.Item {
	if p == nil || item == nil {
		return item
	}
	out := make(attr.Item, len(p))
	byTop := make(map[string][][]step, len(p))
	for _, path := range p {
		byTop[path.Top()] = append(byTop[path.Top()], path[1:])
	}
	for top, rests := range byTop {
		if v := extract(item[top], rests); v.Present() {
			out[top] = v
		}
	}
	return out
}

// extract keeps of v what the paths name. An empty path names all of it.
func extract(v attr.Value, rests [][]step) attr.Value {
	if !v.Present() || len(rests[0]) == 0 {
		return v
	}
	below := make(map[step][][]step, len(rests))
	for _, rest := range rests {
		below[rest[0]] = append(below[rest[0]], rest[1:])
	}
	switch v.Kind {
	case attr.M:
		kept := make(attr.Item, len(below))
		for s, deeper := range below {
			if inner, ok := v.Map()[s.name]; ok && s.index < 0 {
				if part := extract(inner, deeper); part.Present() {
					kept[s.name] = part
				}
			}
		}
		if len(kept) > 0 {
			return attr.NewMap(kept)
		}
	case attr.L:
		if kept := extractList(v.List(), below); len(kept) > 0 {
			return attr.NewList(kept)
		}
	default:
	}
	return attr.Value{}
}

// extractList keeps elements in the list's order, close together.
func extractList(list []attr.Value, below map[step][][]step) []attr.Value {
	steps := slices.SortedFunc(maps.Keys(below), func(a, b step) int { return a.index - b.index })
	var kept []attr.Value
	for _, s := range steps {
		if s.index < 0 || s.index >= len(list) {
			continue
		}
		if part := extract(list[s.index], below[s]); part.Present() {
			kept = append(kept, part)
		}
	}
	return kept
}
