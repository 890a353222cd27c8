package expr

import (
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
)

const (
	errOperandType = "An operand in the update expression has an incorrect data type"
	errNoAttribute = "The provided expression refers to an attribute that does not exist in the item"
)

// term is the right-hand side of a SET.
type term interface {
	eval(item attr.Item) (attr.Value, error)
}

// sum reads operand [+|- operand].
func (p *parser) sum() term {
	left := p.term()
	for _, op := range []string{"+", "-"} {
		if !p.accept(op) {
			continue
		}
		p.operator()
		right := p.term()
		p.checkNumber(op, left)
		p.checkNumber(op, right)
		return sumTerm{op: op, left: left, right: right}
	}
	return left
}

func (p *parser) checkNumber(op string, t term) {
	if lit, ok := t.(literalTerm); ok && p.err == nil && attr.Value(lit).Kind != attr.N {
		p.badType(op, attr.Value(lit).Kind)
	}
}

// term reads a path, a value, a function, or a sum in parentheses.
func (p *parser) term() term {
	switch {
	case p.peek().symbol("("):
		p.at++
		if !p.enter() {
			return nil
		}
		defer p.leave()
		t := p.sum()
		p.expect(")")
		return t
	case p.isCall():
		return p.termCall()
	case p.peek().kind == tokenValue:
		return literalTerm(p.value())
	default:
		return pathTerm(p.path())
	}
}

func (p *parser) termCall() term {
	name := p.advance().text
	p.operator()
	if !p.enter() {
		return nil
	}
	defer p.leave()
	switch name {
	case "if_not_exists", "list_append":
	default:
		if isFunction(name) {
			p.fail("The function is not allowed in an update expression; function: " + name)
		} else {
			p.fail("Invalid function name; function: " + name)
		}
		return nil
	}
	p.expect("(")
	args := []term{p.sum()}
	for p.err == nil && p.accept(",") {
		args = append(args, p.sum())
	}
	p.expect(")")
	if p.err == nil && len(args) != 2 {
		p.fail("Incorrect number of operands for operator or function; operator or function: " + name + ", number of operands: " + itoa(len(args)))
	}
	if p.err != nil {
		return nil
	}
	if name == "list_append" {
		return p.listAppend(args)
	}
	path, ok := args[0].(pathTerm)
	if !ok {
		p.fail("Operator or function requires a document path; operator or function: if_not_exists")
		return nil
	}
	return defaultTerm{path: path, other: args[1]}
}

func (p *parser) listAppend(args []term) term {
	for _, a := range args {
		if lit, ok := a.(literalTerm); ok && attr.Value(lit).Kind != attr.L {
			p.badType("list_append", attr.Value(lit).Kind)
		}
	}
	return appendTerm{left: args[0], right: args[1]}
}

type literalTerm attr.Value

func (t literalTerm) eval(attr.Item) (attr.Value, error) { return attr.Value(t), nil }

type pathTerm Path

func (t pathTerm) eval(item attr.Item) (attr.Value, error) {
	v := Path(t).get(item)
	if !v.Present() {
		return v, attr.Invalid(errNoAttribute)
	}
	return v, nil
}

// defaultTerm is if_not_exists(path, other).
type defaultTerm struct {
	path  pathTerm
	other term
}

func (t defaultTerm) eval(item attr.Item) (attr.Value, error) {
	if v := Path(t.path).get(item); v.Present() {
		return v, nil
	}
	return t.other.eval(item)
}

type appendTerm struct{ left, right term }

func (t appendTerm) eval(item attr.Item) (attr.Value, error) {
	left, err := t.left.eval(item)
	if err != nil {
		return left, err
	}
	right, err := t.right.eval(item)
	if err != nil {
		return right, err
	}
	if left.Kind != attr.L || right.Kind != attr.L {
		return left, attr.Invalid(errOperandType)
	}
	list := make([]attr.Value, 0, len(left.List)+len(right.List))
	return attr.Value{Kind: attr.L, List: append(append(list, left.List...), right.List...)}, nil
}

type sumTerm struct {
	op          string
	left, right term
}

func (t sumTerm) eval(item attr.Item) (attr.Value, error) {
	left, err := t.left.eval(item)
	if err != nil {
		return left, err
	}
	right, err := t.right.eval(item)
	if err != nil {
		return right, err
	}
	if left.Kind != attr.N || right.Kind != attr.N {
		return left, attr.Invalid(errOperandType)
	}
	var n attr.Number
	if t.op == "+" {
		n, err = left.Number().Add(right.Number())
	} else {
		n, err = left.Number().Sub(right.Number())
	}
	return attr.Num(n), err
}
