package expr

import (
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
)

const keyKind = "KeyConditionExpression"

// KeyTest is a condition on one key attribute: one of = < <= > >= BETWEEN
// begins_with, and as many values as it takes.
type KeyTest struct {
	Name   string
	Op     string
	Values []attr.Value
}

// ParseKeyCondition parses a key condition: one or two tests joined by AND.
func ParseKeyCondition(src string, scope *Scope) ([]KeyTest, error) {
	p := newParser(keyKind, src, scope)
	c := p.or()
	if err := p.finish(); err != nil {
		return nil, err
	}
	tests, err := keyTests(c)
	if err == nil && len(tests) > 2 {
		return nil, attr.Invalid("Conditions can be of length 1 or 2 only")
	}
	return tests, err
}

func keyTests(c Condition) ([]KeyTest, error) {
	switch n := c.(type) {
	case andNode:
		left, err := keyTests(n.left)
		if err != nil {
			return nil, err
		}
		right, err := keyTests(n.right)
		return append(left, right...), err
	case compareNode:
		if n.op == "<>" {
			return nil, unsupportedOperator("<>")
		}
		left, right, op := n.left, n.right, n.op
		if left.path == nil {
			left, right, op = right, left, mirrored(op)
		}
		return keyTest(op, left, right)
	case betweenNode:
		return keyTest("BETWEEN", n.of, n.low, n.high)
	case beginsNode:
		return keyTest("begins_with", n.of, n.prefix)
	case orNode:
		return nil, unsupportedOperator("OR")
	case notNode:
		return nil, unsupportedOperator("NOT")
	case inNode:
		return nil, unsupportedOperator("IN")
	case existsNode:
		if n.want {
			return nil, unsupportedOperator("attribute_exists")
		}
		return nil, unsupportedOperator("attribute_not_exists")
	case typeNode:
		return nil, unsupportedOperator("attribute_type")
	default:
		return nil, unsupportedOperator("contains")
	}
}

func unsupportedOperator(op string) error {
	return attr.Invalid("Invalid operator used in KeyConditionExpression: " + op)
}

// mirrored is the operator with its sides exchanged.
func mirrored(op string) string {
	switch op {
	case "<":
		return ">"
	case "<=":
		return ">="
	case ">":
		return "<"
	case ">=":
		return "<="
	default:
		return op
	}
}

func keyTest(op string, of operand, values ...operand) ([]KeyTest, error) {
	if of.size {
		return nil, attr.Invalid("KeyConditionExpressions cannot contain nested operations")
	}
	if of.path == nil {
		return nil, attr.Invalid("Invalid condition in KeyConditionExpression: " + op + " operator must have the key attribute as its first operand")
	}
	if len(of.path) > 1 {
		return nil, attr.Invalid("KeyConditionExpressions cannot have conditions on nested attributes")
	}
	t := KeyTest{Name: of.path.Top(), Op: op}
	for _, v := range values {
		if !v.isLiteral() {
			return nil, attr.Invalid("Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition")
		}
		t.Values = append(t.Values, v.literal)
	}
	return []KeyTest{t}, nil
}
