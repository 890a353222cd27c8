package expr

import (
	"strings"
)

type tokenKind uint8

const (
	tokenEnd    tokenKind = iota
	tokenWord             // a name, keyword or function
	tokenName             // #placeholder
	tokenValue            // :placeholder
	tokenDigits           // a list index
	tokenSymbol           // = <> < <= > >= ( ) [ ] , . + -
	tokenBad
)

type token struct {
	kind  tokenKind
	text  string
	start int
}

// keyword reports whether the token is the given keyword in any case.
func (t token) keyword(word string) bool {
	return t.kind == tokenWord && len(t.text) == len(word) && strings.EqualFold(t.text, word)
}

func (t token) symbol(s string) bool { return t.kind == tokenSymbol && t.text == s }

// lex splits an expression. What is no token becomes a tokenBad, at which the
// parser stops.
func lex(src string) []token {
	tokens := make([]token, 0, 16)
	for i := 0; ; {
		for i < len(src) && (src[i] == ' ' || src[i] == '\t' || src[i] == '\n' || src[i] == '\r') {
			i++
		}
		if i == len(src) {
			return append(tokens, token{kind: tokenEnd, text: "<EOF>", start: i})
		}
		t := lexOne(src[i:])
		t.start = i
		i += len(t.text)
		tokens = append(tokens, t)
	}
}

func lexOne(src string) token {
	switch c := src[0]; {
	case letter(c) && c != '_':
		return token{kind: tokenWord, text: src[:run(src, 1)]}
	case c == '#' || c == ':':
		end := run(src, 1)
		if end == 1 {
			return token{kind: tokenBad, text: src[:1]}
		}
		kind := tokenName
		if c == ':' {
			kind = tokenValue
		}
		return token{kind: kind, text: src[:end]}
	case digit(c):
		end := 1
		for end < len(src) && digit(src[end]) {
			end++
		}
		return token{kind: tokenDigits, text: src[:end]}
	case c == '<' || c == '>':
		if len(src) > 1 && (src[1] == '=' || c == '<' && src[1] == '>') {
			return token{kind: tokenSymbol, text: src[:2]}
		}
		return token{kind: tokenSymbol, text: src[:1]}
	case strings.IndexByte("=()[],.+-", c) >= 0:
		return token{kind: tokenSymbol, text: src[:1]}
	default:
		return token{kind: tokenBad, text: src[:1]}
	}
}

// run is the end of the word characters from i on.
func run(src string, i int) int {
	for i < len(src) && (letter(src[i]) || digit(src[i])) {
		i++
	}
	return i
}

func letter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
}

func digit(c byte) bool { return c >= '0' && c <= '9' }
