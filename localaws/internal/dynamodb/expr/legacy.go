package expr

import (
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
)

// Legacy makes the condition of a ComparisonOperator on one attribute.
func Legacy(name, operator string, values []attr.Value) (Condition, error) {
	if err := legacyArguments(operator, values); err != nil {
		return nil, err
	}
	of := operand{path: Attribute(name)}
	args := make([]operand, len(values))
	for i, v := range values {
		args[i] = operand{literal: v}
	}
	switch operator {
	case "EQ", "NE", "LT", "LE", "GT", "GE":
		return compareNode{op: comparisonSymbol(operator), left: of, right: args[0]}, nil
	case "NULL", "NOT_NULL":
		return existsNode{path: of.path, want: operator == "NOT_NULL"}, nil
	case "CONTAINS":
		return containsNode{in: of, what: args[0]}, nil
	case "NOT_CONTAINS":
		return notNode{containsNode{in: of, what: args[0]}}, nil
	case "BEGINS_WITH":
		return beginsNode{of: of, prefix: args[0]}, nil
	case "IN":
		return inNode{of: of, list: args}, nil
	default:
		return betweenNode{of: of, low: args[0], high: args[1]}, nil
	}
}

func comparisonSymbol(operator string) string {
	switch operator {
	case "NE":
		return "<>"
	case "LT":
		return "<"
	case "LE":
		return "<="
	case "GT":
		return ">"
	case "GE":
		return ">="
	default:
		return "="
	}
}

// legacyArguments checks number and types of an operator's values.
func legacyArguments(operator string, values []attr.Value) error {
	low, high := 1, 1
	switch operator {
	case "EQ", "NE", "LT", "LE", "GT", "GE", "CONTAINS", "NOT_CONTAINS", "BEGINS_WITH":
	case "NULL", "NOT_NULL":
		low, high = 0, 0
	case "IN":
		high = maxIn
	case "BETWEEN":
		low, high = 2, 2
	default:
		return attr.Invalid("1 validation error detected: Value '" + operator + "' at 'comparisonOperator' failed to satisfy constraint: " +
			"Member must satisfy enum value set: [IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS]")
	}
	if len(values) < low || len(values) > high {
		return attr.Invalid("One or more parameter values were invalid: Invalid number of argument(s) for the " + operator + " ComparisonOperator")
	}
	for _, v := range values {
		ok := v.Kind == attr.S || v.Kind == attr.N || v.Kind == attr.B
		switch operator {
		case "EQ", "NE", "IN", "CONTAINS", "NOT_CONTAINS":
			ok = v.Present()
		case "BEGINS_WITH":
			ok = v.Kind == attr.S || v.Kind == attr.B
		}
		if !ok {
			return attr.Invalid("One or more parameter values were invalid: ComparisonOperator " + operator + " is not valid for " + v.Kind.String() + " AttributeValue type")
		}
	}
	return nil
}

// Join joins conditions by AND, or by OR; nil where there are none.
func Join(or bool, conditions []Condition) Condition {
	var all Condition
	for _, c := range conditions {
		switch {
		case all == nil:
			all = c
		case or:
			all = orNode{all, c}
		default:
			all = andNode{all, c}
		}
	}
	return all
}

// LegacyKey makes the key test of a ComparisonOperator.
func LegacyKey(name, operator string, values []attr.Value) (KeyTest, error) {
	switch operator {
	case "EQ", "LT", "LE", "GT", "GE", "BEGINS_WITH", "BETWEEN":
	default:
		return KeyTest{}, attr.Invalid("Attempted conditional constraint is not an indexable operation")
	}
	if err := legacyArguments(operator, values); err != nil {
		return KeyTest{}, err
	}
	op := operator
	switch operator {
	case "BETWEEN":
	case "BEGINS_WITH":
		op = "begins_with"
	default:
		op = comparisonSymbol(operator)
	}
	return KeyTest{Name: name, Op: op, Values: values}, nil
}

// Legacy adds the change of one entry of AttributeUpdates. A missing value is
// the zero Value.
func (u *Update) Legacy(name, action string, v attr.Value) error {
	path := Attribute(name)
	u.legacy = true
	switch {
	case action == "" && v.Present() || action == "PUT" && v.Present():
		u.sets = append(u.sets, setAction{path, literalTerm(v)})
	case action == "DELETE" && !v.Present():
		u.removes = append(u.removes, path)
	case action == "ADD" && v.Present():
		if v.Kind != attr.N && !v.IsSet() && v.Kind != attr.L {
			return attr.Invalid("One or more parameter values were invalid: ADD action is not supported for the type " + v.Kind.String())
		}
		u.adds = append(u.adds, setOperation{path, v})
	case action == "DELETE":
		if !v.IsSet() {
			return attr.Invalid("One or more parameter values were invalid: DELETE action with value is not supported for the type " + v.Kind.String())
		}
		u.deletes = append(u.deletes, setOperation{path, v})
	case action == "" || action == "PUT" || action == "ADD":
		return attr.Invalid("One or more parameter values were invalid: Only DELETE action is allowed when no attribute value is specified")
	default:
		return attr.Invalid("1 validation error detected: Value '" + action + "' at 'attributeUpdates." + name + ".member.action' failed to satisfy constraint: Member must satisfy enum value set: [ADD, DELETE, PUT]")
	}
	return nil
}
