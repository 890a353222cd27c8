package dynamodb

import (
	"errors"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/expr"
)

// placeholders are the parameters that all expressions of a request share.
type placeholders struct {
	ExpressionAttributeNames  map[string]string
	ExpressionAttributeValues values
}

// values are ExpressionAttributeValues, whose errors name them.
type values attr.Item

// UnmarshalJSON implements json.Unmarshaler.
func (v *values) UnmarshalJSON(in []byte) error {
	if string(in) == "null" {
		return nil
	}
	item, name, err := attr.ParseNamed(in)
	*v = values(item)
	if reason, ok := errors.AsType[attr.Invalid](err); ok {
		return invalid("ExpressionAttributeValues contains invalid value: " + reason.Error() + " for key " + name)
	}
	return err
}

// scope checks the placeholders; without an expression there must be none.
func (p *placeholders) scope(expressions ...*string) (*expr.Scope, error) {
	some := false
	for _, e := range expressions {
		some = some || e != nil
	}
	if !some && p.ExpressionAttributeNames != nil {
		return nil, invalid("ExpressionAttributeNames can only be specified when using expressions")
	}
	if !some && p.ExpressionAttributeValues != nil {
		return nil, invalid("ExpressionAttributeValues can only be specified when using expressions: all expressions are null")
	}
	return expr.NewScope(p.ExpressionAttributeNames, attr.Item(p.ExpressionAttributeValues))
}

// conditional is the part of a write's input that says when it happens.
type conditional struct {
	placeholders
	ConditionExpression                 *string
	ReturnValuesOnConditionCheckFailure string
	Expected                            map[string]expected
	ConditionalOperator                 string
}

// parse returns the condition, nil for none.
func (c *conditional) parse(scope *expr.Scope) (expr.Condition, error) {
	if c.ConditionExpression == nil {
		return legacyCondition(c.Expected, c.ConditionalOperator)
	}
	if c.Expected != nil {
		return nil, invalid("Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {Expected} Expression parameters: {ConditionExpression}")
	}
	return expr.ParseCondition("ConditionExpression", *c.ConditionExpression, scope)
}

// apply tells the write what a failed condition shows.
func (c *conditional) apply(w *write) error {
	switch c.ReturnValuesOnConditionCheckFailure {
	case "", "NONE":
	case "ALL_OLD":
		w.showOld = true
	default:
		return notInEnum(c.ReturnValuesOnConditionCheckFailure, "returnValuesOnConditionCheckFailure", "[ALL_OLD, NONE]")
	}
	return nil
}

// projected is the part of a read's input that says what of an item to return.
type projected struct {
	ProjectionExpression *string
	AttributesToGet      []string
}

func (p *projected) parse(scope *expr.Scope) (expr.Projection, error) {
	if p.ProjectionExpression != nil {
		if p.AttributesToGet != nil {
			return nil, invalid("Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {AttributesToGet} Expression parameters: {ProjectionExpression}")
		}
		return expr.ParseProjection(*p.ProjectionExpression, scope)
	}
	return attributesToGet(p.AttributesToGet)
}
