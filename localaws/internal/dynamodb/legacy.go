package dynamodb

import (
	"maps"
	"slices"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/expr"
)

// The legacy parameters, which come before expressions, become the same trees.

// expected is one attribute's condition in Expected.
type expected struct {
	Value              *attr.Value
	Exists             *bool
	ComparisonOperator string
	AttributeValueList []attr.Value
}

// attributeUpdate is one attribute's change in AttributeUpdates.
type attributeUpdate struct {
	Value  *attr.Value
	Action string
}

// comparison is one attribute's condition in KeyConditions and in filters.
type comparison struct {
	ComparisonOperator string
	AttributeValueList []attr.Value
}

func legacyCondition(all map[string]expected, operator string) (expr.Condition, error) {
	tests := make(map[string]comparison, len(all))
	for name, e := range all {
		c, err := e.comparison(name)
		if err != nil {
			return nil, err
		}
		tests[name] = c
	}
	return legacyFilter(tests, operator)
}

// comparison is the operator that Value and Exists stand for. Value may also be
// the one argument of a ComparisonOperator, as the Kinesis Client Library 1 has it.
func (e *expected) comparison(name string) (comparison, error) {
	switch {
	case e.Value != nil && e.AttributeValueList != nil:
		return comparison{}, invalid("One or more parameter values were invalid: Value and AttributeValueList cannot be used together for Attribute: " + name)
	case e.Exists != nil && e.ComparisonOperator != "":
		return comparison{}, invalid("One or more parameter values were invalid: Exists and ComparisonOperator cannot be used together for Attribute: " + name)
	case e.ComparisonOperator != "" && e.Value != nil:
		return comparison{e.ComparisonOperator, []attr.Value{*e.Value}}, nil
	case e.ComparisonOperator != "":
		return comparison{e.ComparisonOperator, e.AttributeValueList}, nil
	case e.Exists != nil && !*e.Exists:
		if e.Value != nil {
			return comparison{}, invalid("One or more parameter values were invalid: Value cannot be used when Exists is false for Attribute: " + name)
		}
		return comparison{ComparisonOperator: "NULL"}, nil
	case e.Value == nil:
		exists := "null"
		if e.Exists != nil {
			exists = "true"
		}
		return comparison{}, invalid("One or more parameter values were invalid: Value must be provided when Exists is " + exists + " for Attribute: " + name)
	default:
		return comparison{"EQ", []attr.Value{*e.Value}}, nil
	}
}

// legacyFilter joins the conditions on several attributes.
func legacyFilter(tests map[string]comparison, operator string) (expr.Condition, error) {
	if operator != "" && operator != "AND" && operator != "OR" {
		return nil, notInEnum(operator, "conditionalOperator", "[OR, AND]")
	}
	conditions := make([]expr.Condition, 0, len(tests))
	for _, name := range slices.Sorted(maps.Keys(tests)) {
		c, err := expr.Legacy(name, tests[name].ComparisonOperator, tests[name].AttributeValueList)
		if err != nil {
			return nil, err
		}
		conditions = append(conditions, c)
	}
	return expr.Join(operator == "OR", conditions), nil
}

func legacyUpdate(all map[string]attributeUpdate) (*expr.Update, error) {
	u := &expr.Update{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		a := all[name]
		var v attr.Value
		if a.Value != nil {
			v = *a.Value
		}
		if err := u.Legacy(name, a.Action, v); err != nil {
			return nil, err
		}
	}
	return u, nil
}

func attributesToGet(names []string) (expr.Projection, error) {
	if names == nil {
		return nil, nil
	}
	if len(names) == 0 {
		return nil, invalid("1 validation error detected: Value '[]' at 'attributesToGet' failed to satisfy constraint: Member must have length greater than or equal to 1")
	}
	p := make(expr.Projection, 0, len(names))
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return nil, invalid("One or more parameter values were invalid: Duplicate value in attribute name: " + name)
		}
		p = append(p, expr.Attribute(name))
	}
	return p, nil
}
