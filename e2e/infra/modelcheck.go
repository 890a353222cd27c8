package infra

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// checker holds Terraform's values against an operation's input. Arguments are
// matched to members by name without case and underscores, or by names.
type checker struct {
	model    Model
	names    map[string]string // argument, or "block.argument", to member
	checked  int
	problems []string
}

// CheckCall returns what AWS would refuse of the values for that operation, and
// how many values were compared. What the operation has no member for is
// Terraform's own and left out; inside JSON documents it is a problem.
func (m Model) CheckCall(operation string, values map[string]any, names map[string]string) (problems []string, checked int) {
	c := &checker{model: m, names: names}
	op, ok := m.Operations[operation]
	if !ok {
		return []string{"there is no operation " + operation}, 0
	}
	c.structure("", m.Shapes[op.Input.Shape], values, false)
	return c.problems, c.checked
}

func (c *checker) fail(path, format string, args ...any) {
	c.problems = append(c.problems, path+": "+fmt.Sprintf(format, args...))
}

func (c *checker) structure(path string, shape Shape, values map[string]any, strict bool) {
	for key, value := range values {
		if value == nil {
			continue
		}
		where := strings.TrimPrefix(path+"."+key, ".")
		name, ok := c.member(where, key, shape, strict)
		switch {
		case ok:
			c.value(where, c.model.Shapes[name], value, strict)
		case strict:
			c.fail(where, "is no member")
		}
	}
	for _, required := range shape.Required {
		if strict && values[required] == nil {
			c.fail(path, "%s is required", required)
		}
	}
}

// member finds the shape of the member that an argument is, here or one level
// down: Terraform flattens what AWS nests.
func (c *checker) member(where, key string, shape Shape, strict bool) (string, bool) {
	if strict {
		m, ok := shape.Members[key]
		return m.Shape, ok
	}
	if renamed, ok := c.names[where]; ok {
		key = renamed
	}
	if found, ok := match(shape, key); ok {
		return found, true
	}
	for _, m := range shape.Members {
		if found, ok := match(c.model.Shapes[m.Shape], key); ok && c.model.Shapes[m.Shape].Type == "structure" {
			return found, true
		}
	}
	return "", false
}

func match(shape Shape, key string) (string, bool) {
	for name, m := range shape.Members {
		if plain(name) == plain(key) {
			return m.Shape, true
		}
	}
	return "", false
}

func plain(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

func (c *checker) value(path string, shape Shape, value any, strict bool) {
	if text, ok := value.(string); ok && (shape.Type == "list" || shape.Type == "structure") {
		var document any
		if err := json.Unmarshal([]byte(text), &document); err != nil {
			c.fail(path, "is no JSON: %v", err)
			return
		}
		value, strict = document, true
	}
	switch shape.Type {
	case "structure":
		if list, ok := value.([]any); ok && len(list) == 1 && !strict {
			value = list[0] // a block
		}
		if values, ok := value.(map[string]any); ok {
			c.structure(path, shape, values, strict)
		}
	case "list":
		c.list(path, shape, value, strict)
	case "map":
		for key, v := range mapOf(value) {
			c.value(path+"."+key, c.model.Shapes[shape.Value.Shape], v, strict)
		}
	default:
		c.scalar(path, shape, value)
	}
}

func mapOf(value any) map[string]any { m, _ := value.(map[string]any); return m }

func (c *checker) list(path string, shape Shape, value any, strict bool) {
	element := c.model.Shapes[shape.Member.Shape]
	list, ok := value.([]any)
	if pairs := mapOf(value); pairs != nil { // a map of Terraform's is a list of names and values
		ok = true
		for name, v := range pairs {
			list = append(list, map[string]any{"name": name, "value": v})
		}
	}
	if !ok {
		return
	}
	c.bounds(path, shape, float64(len(list)), "entries")
	for _, v := range list {
		c.value(path, element, v, strict)
	}
}

func (c *checker) scalar(path string, shape Shape, value any) {
	c.checked++
	number, isNumber := value.(float64)
	text, isText := value.(string)
	switch shape.Type {
	case "string":
		if isNumber {
			text, isText = strconv.FormatFloat(number, 'f', -1, 64), true
		}
		if !isText {
			return
		}
		c.bounds(path, shape, float64(utf8.RuneCountInString(text)), "characters")
		if len(shape.Enum) > 0 && !slices.Contains(shape.Enum, text) {
			c.fail(path, "%q is none of %v", text, shape.Enum)
		}
		if pattern, err := regexp.Compile("^(?:" + shape.Pattern + ")$"); err == nil && shape.Pattern != "" && !pattern.MatchString(text) {
			c.fail(path, "%q does not match %s", text, shape.Pattern)
		}
	case "integer", "long", "double", "float":
		if isText {
			parsed, err := strconv.ParseFloat(text, 64)
			if err != nil {
				if text != "" {
					c.fail(path, "%q is no number", text)
				}
				return
			}
			number, isNumber = parsed, true
		}
		if isNumber {
			c.bounds(path, shape, number, "")
		}
	}
}

func (c *checker) bounds(path string, shape Shape, got float64, unit string) {
	if (shape.Min != nil && got < *shape.Min) || (shape.Max != nil && got > *shape.Max) {
		c.fail(path, "got %g %s, want %s to %s", got, unit, bound(shape.Min), bound(shape.Max))
	}
}

func bound(b *float64) string {
	if b == nil {
		return "any"
	}
	return strconv.FormatFloat(*b, 'f', -1, 64)
}
