package expr

import (
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
)

// Condition is a parsed condition or filter; it can be used concurrently.
type Condition interface {
	// Holds evaluates the condition; a nil item has no attributes.
	Holds(item attr.Item) bool
	// visit calls f with every path of the condition.
	visit(f func(Path))
}

// ParseCondition parses a condition or filter. kind is the parameter's name,
// such as ConditionExpression, for messages.
func ParseCondition(kind, src string, scope *Scope) (Condition, error) {
	p := newParser(kind, src, scope)
	c := p.or()
	if err := p.finish(); err != nil {
		return nil, err
	}
	return c, nil
}

// Paths lists the paths that a condition reads; nil for no condition.
func Paths(c Condition) []Path {
	if c == nil {
		return nil
	}
	var paths []Path
	c.visit(func(p Path) { paths = append(paths, p) })
	return paths
}

func (p *parser) or() Condition {
	left := p.and()
	for p.err == nil && p.acceptKeyword("OR") {
		p.operator()
		left = orNode{left, p.and()}
	}
	return left
}

func (p *parser) and() Condition {
	left := p.not()
	for p.err == nil && p.acceptKeyword("AND") {
		p.operator()
		left = andNode{left, p.not()}
	}
	return left
}

func (p *parser) not() Condition {
	if p.peek().keyword("NOT") {
		p.at++
		p.operator()
		if !p.enter() {
			return nil
		}
		defer p.leave()
		return notNode{p.not()}
	}
	return p.primary()
}

func (p *parser) enter() bool {
	if p.depth++; p.depth > maxParens {
		p.fail("The expression is nested too deeply")
	}
	return p.err == nil
}

func (p *parser) leave() { p.depth-- }

func (p *parser) primary() Condition {
	if p.peek().symbol("(") {
		if c, ok := p.parenthesised(); ok {
			return c
		}
	}
	if p.isCall() && !p.tokens[p.at].keyword("size") {
		return p.call()
	}
	left := p.operand()
	return p.comparison(left)
}

// parenthesised reads a condition in parentheses; ok is false, and nothing
// consumed, where the parentheses hold an operand.
func (p *parser) parenthesised() (Condition, bool) {
	if p.operandInParens() {
		return nil, false
	}
	p.at++
	if !p.enter() {
		return nil, true
	}
	defer p.leave()
	inner := p.at
	c := p.or()
	if p.err == nil && p.tokens[inner].symbol("(") && p.tokens[p.at-1].symbol(")") && p.closes(inner) == p.at-1 && !p.operandAt(inner) {
		p.fail("The expression has redundant parentheses;")
	}
	p.expect(")")
	return c, true
}

// closes is the index of the token that closes the parenthesis at i.
func (p *parser) closes(i int) int {
	open := 0
	for ; i < len(p.tokens); i++ {
		switch {
		case p.tokens[i].symbol("("):
			open++
		case p.tokens[i].symbol(")"):
			if open--; open == 0 {
				return i
			}
		}
	}
	return len(p.tokens)
}

func (p *parser) operandInParens() bool { return p.operandAt(p.at) }

// operandAt reports whether the parenthesis at i is closed before anything that
// only a condition has.
func (p *parser) operandAt(i int) bool {
	end := p.closes(i)
	for j := i; j < end; j++ {
		t := p.tokens[j]
		switch {
		case t.kind == tokenSymbol && (t.text == "=" || t.text[0] == '<' || t.text[0] == '>'):
			return false
		case t.keyword("AND") || t.keyword("OR") || t.keyword("NOT") || t.keyword("BETWEEN") || t.keyword("IN"):
			return false
		case t.kind == tokenWord && p.tokens[j+1].symbol("(") && !t.keyword("size"):
			return false
		}
	}
	return end < len(p.tokens)
}

func (p *parser) comparison(left operand) Condition {
	t := p.peek()
	switch {
	case t.kind == tokenSymbol && comparator(t.text):
		p.at++
		p.operator()
		right := p.operand()
		p.checkComparison(t.text, left, right)
		return compareNode{op: t.text, left: left, right: right}
	case t.keyword("BETWEEN"):
		p.at++
		p.operator()
		low := p.operand()
		if p.err == nil && !p.acceptKeyword("AND") {
			p.syntax()
		}
		high := p.operand()
		p.checkBetween(low, high)
		p.checkDistinct("BETWEEN", left, low, high)
		return betweenNode{of: left, low: low, high: high}
	case t.keyword("IN"):
		p.at++
		p.operator()
		return p.in(left)
	default:
		p.syntax()
		return nil
	}
}

func comparator(s string) bool {
	switch s {
	case "=", "<>", "<", "<=", ">", ">=":
		return true
	default:
		return false
	}
}

func (p *parser) in(left operand) Condition {
	p.expect("(")
	node := inNode{of: left}
	for p.err == nil {
		node.list = append(node.list, p.operand())
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	if len(node.list) > maxIn {
		p.fail("The IN operator is provided with too many operands; number of operands: " + itoa(len(node.list)))
	}
	p.checkDistinct("IN", append([]operand{left}, node.list...)...)
	return node
}
