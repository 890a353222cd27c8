package expr

import (
	"strings"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
)

// call reads one of the functions that are conditions by themselves.
func (p *parser) call() Condition {
	name := p.advance().text
	p.operator()
	switch name {
	case "attribute_exists", "attribute_not_exists":
		args := p.arguments(name, 1)
		p.wantPath(name, args)
		if p.err != nil {
			return nil
		}
		return existsNode{path: args[0].path, want: name == "attribute_exists"}
	case "attribute_type":
		return p.attributeType(name)
	case "begins_with":
		return p.beginsWith(name)
	case "contains":
		args := p.arguments(name, 2)
		p.checkDistinct(name, args...)
		if p.err != nil {
			return nil
		}
		return containsNode{in: args[0], what: args[1]}
	case "if_not_exists", "list_append":
		p.fail("The function is not allowed in a condition expression; function: " + name)
	default:
		p.fail("Invalid function name; function: " + name)
	}
	return nil
}

func (p *parser) wantPath(name string, args []operand) {
	if p.err == nil && (args[0].path == nil || args[0].size) {
		p.fail("Operator or function requires a document path; operator or function: " + name)
	}
}

func (p *parser) attributeType(name string) Condition {
	args := p.arguments(name, 2)
	p.checkDistinct(name, args...)
	if p.err != nil {
		return nil
	}
	if !args[1].isLiteral() || args[1].literal.Kind != attr.S {
		kind := args[1].literal.Kind.String()
		if !args[1].isLiteral() {
			kind = "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}"
		}
		p.fail("Incorrect operand type for operator or function; operator or function: attribute_type, operand type: " + kind)
		return nil
	}
	kind := attr.KindOf(args[1].literal.Text)
	if kind == attr.None {
		p.fail("Invalid attribute type name found; type: " + args[1].literal.Text + ", valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}")
	}
	return typeNode{of: args[0], kind: kind}
}

func (p *parser) beginsWith(name string) Condition {
	args := p.arguments(name, 2)
	p.checkDistinct(name, args...)
	if p.err != nil {
		return nil
	}
	for _, a := range args {
		if a.isLiteral() && a.literal.Kind != attr.S && a.literal.Kind != attr.B {
			p.badType(name, a.literal.Kind)
		}
	}
	return beginsNode{of: args[0], prefix: args[1]}
}

// checkComparison refuses what no item could make true.
func (p *parser) checkComparison(op string, left, right operand) {
	if op != "=" && op != "<>" {
		for _, o := range []operand{left, right} {
			if o.isLiteral() {
				p.checkOrdered(op, o.literal.Kind)
			}
		}
	}
	p.checkDistinct(op, left, right)
}

func (p *parser) checkOrdered(op string, kind attr.Kind) {
	switch kind {
	case attr.S, attr.N, attr.B:
	default:
		p.badType(op, kind)
	}
}

func (p *parser) checkBetween(low, high operand) {
	for _, o := range []operand{low, high} {
		if o.isLiteral() {
			p.checkOrdered("BETWEEN", o.literal.Kind)
		}
	}
	if p.err != nil || !low.isLiteral() || !high.isLiteral() {
		return
	}
	order, ok := attr.Compare(low.literal, high.literal)
	bounds := "lower bound operand: AttributeValue: " + show(low.literal) + ", upper bound operand: AttributeValue: " + show(high.literal)
	switch {
	case !ok:
		p.fail("The BETWEEN operator requires same data type for lower and upper bounds; " + bounds)
	case order > 0:
		p.fail("The BETWEEN operator requires upper bound to be greater than or equal to lower bound; " + bounds)
	}
}

// show prints a scalar as the service's messages do.
func show(v attr.Value) string { return "{" + v.Kind.String() + ":" + v.Text + "}" }

// checkDistinct refuses a path that is compared with itself.
func (p *parser) checkDistinct(op string, operands ...operand) {
	if p.err != nil || operands[0].path == nil {
		return
	}
	first := operands[0]
	for _, o := range operands[1:] {
		if o.path != nil && !o.size && !first.size && o.path.String() == first.path.String() {
			p.fail("The first operand must be distinct from the remaining operands for this operator or function; operator: " +
				op + ", first operand: " + first.path.String())
		}
	}
}

type existsNode struct {
	path Path
	want bool
}

func (n existsNode) Holds(item attr.Item) bool { return n.path.get(item).Present() == n.want }
func (n existsNode) visit(f func(Path))        { f(n.path) }

type typeNode struct {
	of   operand
	kind attr.Kind
}

func (n typeNode) Holds(item attr.Item) bool { return n.of.of(item).Kind == n.kind }
func (n typeNode) visit(f func(Path))        { n.of.visit(f) }

type beginsNode struct{ of, prefix operand }

func (n beginsNode) Holds(item attr.Item) bool {
	v, prefix := n.of.of(item), n.prefix.of(item)
	return v.Kind == prefix.Kind && (v.Kind == attr.S || v.Kind == attr.B) && strings.HasPrefix(v.Text, prefix.Text)
}

func (n beginsNode) visit(f func(Path)) { n.of.visit(f); n.prefix.visit(f) }

type containsNode struct{ in, what operand }

func (n containsNode) Holds(item attr.Item) bool {
	return contains(n.in.of(item), n.what.of(item))
}

func (n containsNode) visit(f func(Path)) { n.in.visit(f); n.what.visit(f) }

// contains is true for a substring, a member of a set, or an element of a list.
func contains(v, what attr.Value) bool {
	if !v.Present() || !what.Present() {
		return false
	}
	switch v.Kind {
	case attr.S, attr.B:
		return what.Kind == v.Kind && strings.Contains(v.Text, what.Text)
	case attr.SS, attr.NS, attr.BS:
		if what.Kind != v.Kind.Element() {
			return false
		}
		for _, m := range v.Set() {
			if m == what.Text {
				return true
			}
		}
	case attr.L:
		for _, e := range v.List() {
			if e.Equal(what) {
				return true
			}
		}
	default:
	}
	return false
}
