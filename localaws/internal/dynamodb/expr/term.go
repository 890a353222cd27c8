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

// sum reads operand [+|- operand], which may stand in parentheses as a whole.
func (p *parser) sum() term {
	if !p.peek().symbol("(") {
		return p.sumFrom(p.term())
	}
	p.at++
	nested := p.peek().symbol("(")
	left := p.term()
	whole := p.sumFrom(left)
	p.expect(")")
	if _, isSum := whole.(sumTerm); isSum {
		return whole
	}
	if nested {
		p.fail("The expression has redundant parentheses;")
	}
	return p.sumFrom(left)
}

func (p *parser) sumFrom(left term) term {
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

// term reads a path, a value or a function, which may stand in parentheses.
func (p *parser) term() term {
	switch {
	case p.peek().symbol("("):
		p.at++
		if p.peek().symbol("(") {
			p.fail("The expression has redundant parentheses;")
			return nil
		}
		t := p.term()
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
	switch {
	case name == "if_not_exists" || name == "list_append":
	case isFunction(name):
		p.fail("The function is not allowed in an update expression; function: " + name)
	default:
		p.fail("Invalid function name; function: " + name)
	}
	args := p.termArguments(name)
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
	if other, ok := args[1].(pathTerm); ok {
		p.checkDistinct(name, operand{path: Path(path)}, operand{path: Path(other)})
	}
	return defaultTerm{path: path, other: args[1]}
}

// termArguments reads the two arguments of a function.
func (p *parser) termArguments(name string) []term {
	p.expect("(")
	var args []term
	for p.err == nil {
		args = append(args, p.term())
		if _, ok := args[len(args)-1].(appendTerm); ok {
			p.fail("The function is not allowed to be used this way in an expression; function: list_append")
		}
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	if p.err == nil && len(args) != 2 {
		p.fail("Incorrect number of operands for operator or function; operator or function: " + name + ", number of operands: " + itoa(len(args)))
	}
	return args
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
	list := make([]attr.Value, 0, len(left.List())+len(right.List()))
	return attr.NewList(append(append(list, left.List()...), right.List()...)), nil
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
