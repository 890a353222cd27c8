package expr

import (
	"strconv"
	"unicode/utf16"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
)

// operand is a path, a literal, or size(path).
type operand struct {
	path    Path
	literal attr.Value
	size    bool
}

func (o operand) isLiteral() bool { return o.literal.Present() && !o.size }

// of is the operand's value for an item; Kind None where it has none.
func (o operand) of(item attr.Item) attr.Value {
	v := o.literal
	if o.path != nil {
		v = o.path.get(item)
	}
	if o.size {
		return sizeOf(v)
	}
	return v
}

func (o operand) visit(f func(Path)) {
	if o.path != nil {
		f(o.path)
	}
}

// sizeOf is the function size(): UTF-16 units, bytes or members. A number, a
// boolean and null have none.
func sizeOf(v attr.Value) attr.Value {
	var n int
	switch v.Kind {
	case attr.S:
		n = utf16Length(v.Text)
	case attr.B:
		n = len(v.Text)
	case attr.SS, attr.NS, attr.BS:
		n = len(v.Set())
	case attr.L:
		n = len(v.List())
	case attr.M:
		n = len(v.Map())
	default:
		return attr.Value{}
	}
	return attr.Value{Kind: attr.N, Text: strconv.Itoa(n)}
}

// utf16Length counts a string as the service does, which is written in Java.
func utf16Length(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

func itoa(n int) string { return strconv.Itoa(n) }

// operand reads one operand, which may stand in parentheses.
func (p *parser) operand() operand {
	switch {
	case p.peek().symbol("("):
		p.at++
		if p.peek().symbol("(") {
			p.fail("The expression has redundant parentheses;")
			return operand{}
		}
		o := p.operand()
		p.expect(")")
		return o
	case p.isCall():
		return p.sizeCall()
	default:
		return p.simple()
	}
}

// simple reads a path or a value.
func (p *parser) simple() operand {
	switch p.peek().kind {
	case tokenValue:
		return operand{literal: p.value()}
	case tokenWord, tokenName:
		return operand{path: p.path()}
	default:
		p.syntax()
		return operand{}
	}
}

func (p *parser) sizeCall() operand {
	name := p.advance().text
	if name != "size" {
		if isFunction(name) {
			p.fail("The function is not allowed to be used this way in an expression; function: " + name)
		} else {
			p.fail("Invalid function name; function: " + name)
		}
		return operand{}
	}
	p.operator()
	args := p.arguments(name, 1)
	if p.err != nil {
		return operand{}
	}
	o := args[0]
	if o.isLiteral() {
		if !sizeOf(o.literal).Present() {
			p.badType(name, o.literal.Kind)
		}
	}
	o.size = true
	return o
}

// arguments reads a function's arguments, all of them paths or values.
func (p *parser) arguments(name string, want int) []operand {
	p.expect("(")
	var args []operand
	for p.err == nil {
		if p.isCall() && p.peek().text == "size" {
			args = append(args, p.sizeCall())
		} else {
			args = append(args, p.simple())
		}
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	if p.err == nil && len(args) != want {
		p.fail("Incorrect number of operands for operator or function; operator or function: " + name + ", number of operands: " + itoa(len(args)))
	}
	return args
}

func (p *parser) badType(operator string, kind attr.Kind) {
	p.fail("Incorrect operand type for operator or function; operator or function: " + operator + ", operand type: " + kind.String())
}

func isFunction(name string) bool {
	switch name {
	case "attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size", "if_not_exists", "list_append":
		return true
	default:
		return false
	}
}
