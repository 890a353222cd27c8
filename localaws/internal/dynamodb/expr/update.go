package expr

import (
	"strings"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
)

const updateKind = "UpdateExpression"

// Update is a parsed update expression; it can be used concurrently.
type Update struct {
	sets    []setAction
	removes []Path
	adds    []setOperation
	deletes []setOperation
	legacy  bool // made of AttributeUpdates, which has words of its own
}

// setAction is path = value.
type setAction struct {
	path  Path
	value term
}

// setOperation is an ADD or a DELETE.
type setOperation struct {
	path  Path
	value attr.Value
}

// ParseUpdate parses an update expression.
func ParseUpdate(src string, scope *Scope) (*Update, error) {
	p := newParser(updateKind, src, scope)
	u := &Update{}
	seen := make(map[string]bool, 4)
	for p.err == nil && p.peek().kind != tokenEnd {
		section := strings.ToUpper(p.peek().text)
		if p.peek().kind == tokenWord && seen[section] {
			p.fail("The \"" + section + "\" section can only be used once in an update expression;")
			break
		}
		seen[section] = true
		p.section(section, u)
	}
	if err := p.finish(); err != nil {
		return nil, err
	}
	return u, disjoint(updateKind, u.Paths())
}

func (p *parser) section(name string, u *Update) {
	if p.peek().kind != tokenWord {
		p.syntax()
		return
	}
	var action func()
	switch name {
	case "SET":
		action = func() { u.sets = append(u.sets, p.setAction()) }
	case "REMOVE":
		action = func() { u.removes = append(u.removes, p.path()) }
	case "ADD":
		action = func() { u.adds = append(u.adds, p.setOperation("ADD")) }
	case "DELETE":
		action = func() { u.deletes = append(u.deletes, p.setOperation("DELETE")) }
	default:
		p.syntax()
		return
	}
	p.at++
	for action(); p.err == nil && p.accept(","); {
		action()
	}
}

func (p *parser) setAction() setAction {
	a := setAction{path: p.path()}
	p.expect("=")
	a.value = p.sum()
	return a
}

func (p *parser) setOperation(operator string) setOperation {
	o := setOperation{path: p.path()}
	if p.err == nil && p.peek().kind != tokenValue {
		p.syntax()
		return o
	}
	o.value = p.value()
	if p.err == nil && !o.value.IsSet() && (operator == "DELETE" || o.value.Kind != attr.N) {
		kind := o.value.Kind.String()
		if long := longName(o.value.Kind); long != "" {
			kind = long
		}
		p.fail("Incorrect operand type for operator or function; operator: " + operator + ", operand type: " + kind + ", typeSet: " + allowed(operator))
	}
	return o
}

func allowed(operator string) string {
	if operator == "ADD" {
		return "ALLOWED_FOR_ADD_OPERAND"
	}
	return "ALLOWED_FOR_DELETE_OPERAND"
}

func longName(k attr.Kind) string {
	switch k {
	case attr.S:
		return "STRING"
	case attr.N:
		return "NUMBER"
	case attr.B:
		return "BINARY"
	case attr.Bool:
		return "BOOLEAN"
	case attr.L:
		return "LIST"
	case attr.M:
		return "MAP"
	default:
		return k.String()
	}
}

// Paths lists every path the update writes.
func (u *Update) Paths() []Path {
	paths := make([]Path, 0, len(u.sets)+len(u.removes)+len(u.adds)+len(u.deletes))
	for _, a := range u.sets {
		paths = append(paths, a.path)
	}
	paths = append(paths, u.removes...)
	for _, o := range u.adds {
		paths = append(paths, o.path)
	}
	for _, o := range u.deletes {
		paths = append(paths, o.path)
	}
	return paths
}
