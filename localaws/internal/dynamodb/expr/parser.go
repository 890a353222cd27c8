package expr

import (
	"strconv"
	"strings"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
)

// The service's limits on one expression.
const (
	maxExpression = 4096
	maxOperators  = 300
	maxIn         = 100
	maxParens     = 300 // bounds the recursion
)

// parser holds the tokens of one expression. The first error sticks: once err
// is set every method returns a zero value, and the caller looks at the end.
type parser struct {
	kind      string // of expression, as messages name it
	src       string
	scope     *Scope
	tokens    []token
	at        int
	operators int
	depth     int
	err       error
}

func newParser(kind, src string, scope *Scope) *parser {
	p := &parser{kind: kind, src: src, scope: scope}
	switch {
	case src == "":
		p.fail("The expression can not be empty;")
	case len(src) > maxExpression:
		p.fail("Expression size has exceeded the maximum allowed size; expression size: " + strconv.Itoa(len(src)))
	}
	if p.err == nil {
		p.tokens = lex(src)
	}
	return p
}

func (p *parser) fail(message string) {
	if p.err == nil {
		p.err = attr.Invalid("Invalid " + p.kind + ": " + message)
	}
}

// syntax fails at the next token, with the tokens beside it as the service
// prints them.
func (p *parser) syntax() {
	if p.err != nil {
		return
	}
	near := p.tokens[max(p.at-1, 0):min(p.at+2, len(p.tokens))]
	last := near[len(near)-1]
	text := strings.TrimSpace(p.src[near[0].start:min(last.start+len(last.text), len(p.src))])
	p.fail("Syntax error; token: \"" + p.tokens[p.at].text + "\", near: \"" + text + "\"")
}

func (p *parser) peek() token {
	if p.err != nil {
		return token{kind: tokenEnd}
	}
	return p.tokens[p.at]
}

func (p *parser) advance() token {
	t := p.peek()
	if p.err == nil && t.kind != tokenEnd {
		p.at++
	}
	return t
}

// accept consumes a symbol if it is next.
func (p *parser) accept(symbol string) bool {
	if p.peek().symbol(symbol) {
		p.at++
		return true
	}
	return false
}

func (p *parser) acceptKeyword(word string) bool {
	if p.peek().keyword(word) {
		p.at++
		return true
	}
	return false
}

func (p *parser) expect(symbol string) {
	if p.err == nil && !p.accept(symbol) {
		p.syntax()
	}
}

func (p *parser) finish() error {
	if p.err == nil && p.peek().kind != tokenEnd {
		p.syntax()
	}
	return p.err
}

// operator counts what the service limits.
func (p *parser) operator() {
	if p.operators++; p.operators > maxOperators {
		p.fail("The expression contains too many operators; operator count: " + strconv.Itoa(p.operators))
	}
}

// path reads a document path.
func (p *parser) path() Path {
	path := Path{{name: p.name(), index: -1}}
	for p.err == nil {
		switch {
		case p.accept("."):
			path = append(path, step{name: p.name(), index: -1})
		case p.accept("["):
			t := p.advance()
			index, err := strconv.Atoi(t.text)
			if t.kind != tokenDigits || err != nil {
				p.at--
				p.syntax()
				return nil
			}
			p.expect("]")
			path = append(path, step{index: index})
		default:
			return path
		}
	}
	return nil
}

func (p *parser) name() string {
	t := p.peek()
	switch t.kind {
	case tokenName:
		p.at++
		name, ok := p.scope.names[t.text]
		if !ok {
			p.fail("An expression attribute name used in the document path is not defined; attribute name: " + t.text)
		}
		p.scope.usedNames[t.text] = true
		return name
	case tokenWord:
		if operatorWord(t) {
			p.syntax()
			return ""
		}
		p.at++
		if reserved(t.text) {
			p.fail("Attribute name is a reserved keyword; reserved keyword: " + t.text)
		}
		return t.text
	default:
		p.syntax()
		return ""
	}
}

// operatorWord reports whether the word can stand for nothing but an operator.
func operatorWord(t token) bool {
	return t.keyword("AND") || t.keyword("OR") || t.keyword("NOT") || t.keyword("BETWEEN") || t.keyword("IN")
}

// value resolves a value placeholder.
func (p *parser) value() attr.Value {
	t := p.advance()
	v, ok := p.scope.values[t.text]
	if !ok {
		p.fail("An expression attribute value used in expression is not defined; attribute value: " + t.text)
		return attr.Value{}
	}
	p.scope.usedValues[t.text] = true
	return v
}

// isCall reports whether a function's opening parenthesis follows the next word.
func (p *parser) isCall() bool {
	return p.peek().kind == tokenWord && p.tokens[p.at+1].symbol("(")
}
