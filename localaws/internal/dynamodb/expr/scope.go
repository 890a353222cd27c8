package expr

import (
	"maps"
	"slices"
	"strings"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
)

// Scope resolves the placeholders of one request's expressions and remembers
// which were used. It is for one goroutine.
type Scope struct {
	names      map[string]string
	values     attr.Item
	usedNames  map[string]bool
	usedValues map[string]bool
}

// NewScope checks ExpressionAttributeNames and ExpressionAttributeValues.
func NewScope(names map[string]string, values attr.Item) (*Scope, error) {
	if names != nil && len(names) == 0 {
		return nil, attr.Invalid("ExpressionAttributeNames must not be empty")
	}
	if values != nil && len(values) == 0 {
		return nil, attr.Invalid("ExpressionAttributeValues must not be empty")
	}
	for name := range names {
		if !placeholder(name, '#') {
			return nil, attr.Invalid("ExpressionAttributeNames contains invalid key: Syntax error; key: \"" + name + "\"")
		}
	}
	for name := range values {
		if !placeholder(name, ':') {
			return nil, attr.Invalid("ExpressionAttributeValues contains invalid key: Syntax error; key: \"" + name + "\"")
		}
	}
	return &Scope{
		names: names, values: values,
		usedNames: make(map[string]bool, len(names)), usedValues: make(map[string]bool, len(values)),
	}, nil
}

func placeholder(s string, mark byte) bool {
	return len(s) > 1 && s[0] == mark && run(s, 1) == len(s)
}

// Unused is the service's error where a placeholder stands in no expression.
func (s *Scope) Unused() error {
	if len(s.usedNames) < len(s.names) {
		return attr.Invalid("Value provided in ExpressionAttributeNames unused in expressions: keys: {" + rest(s.names, s.usedNames) + "}")
	}
	if len(s.usedValues) < len(s.values) {
		return attr.Invalid("Value provided in ExpressionAttributeValues unused in expressions: keys: {" + rest(s.values, s.usedValues) + "}")
	}
	return nil
}

func rest[V any](given map[string]V, used map[string]bool) string {
	var left []string
	for _, k := range slices.Sorted(maps.Keys(given)) {
		if !used[k] {
			left = append(left, k)
		}
	}
	return strings.Join(left, ", ")
}
