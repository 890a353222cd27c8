package dynamodb

import (
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/expr"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

type queryInput struct {
	readInput
	KeyConditionExpression *string
	KeyConditions          map[string]comparison
	QueryFilter            map[string]comparison
	ScanIndexForward       *bool
}

func (s *Service) query(r *wire.Request, in *queryInput) (any, error) {
	t, err := s.table(in.TableName)
	if err != nil {
		return nil, err
	}
	scope, err := in.scope(in.KeyConditionExpression, in.FilterExpression, in.ProjectionExpression)
	if err != nil {
		return nil, err
	}
	tests, err := in.tests(scope)
	if err != nil {
		return nil, err
	}
	defer t.reading(in.ConsistentRead)()
	v, err := in.view(t)
	if err != nil {
		return nil, err
	}
	w := walk{view: v, backward: in.ScanIndexForward != nil && !*in.ScanIndexForward}
	if w.low, w.high, err = bounds(v.key, tests); err != nil {
		return nil, err
	}
	if err := in.prepare(&w, scope, in.QueryFilter); err != nil {
		return nil, err
	}
	for _, p := range expr.Paths(w.filter) {
		if v.key.has(p.Top()) {
			kind := "Filter Expression can only contain non-primary key attributes: Primary key attribute: "
			if in.FilterExpression == nil {
				kind = "QueryFilter can only contain non-primary key attributes: Primary key attribute: "
			}
			return nil, invalid(kind + p.Top())
		}
	}
	return in.run(r, &w)
}

func (in *queryInput) tests(scope *expr.Scope) ([]expr.KeyTest, error) {
	if in.KeyConditionExpression != nil {
		if in.KeyConditions != nil {
			return nil, invalid("Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {KeyConditions} Expression parameters: {KeyConditionExpression}")
		}
		return expr.ParseKeyCondition(*in.KeyConditionExpression, scope)
	}
	if in.KeyConditions == nil {
		return nil, invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	}
	tests := make([]expr.KeyTest, 0, 2)
	for name, c := range in.KeyConditions {
		t, err := expr.LegacyKey(name, c.ComparisonOperator, c.AttributeValueList)
		if err != nil {
			return nil, err
		}
		tests = append(tests, t)
	}
	if len(tests) == 0 || len(tests) > 2 {
		return nil, invalid("Conditions can be of length 1 or 2 only")
	}
	return tests, nil
}

// bounds turns key tests into the range of the index that satisfies them: from
// low up to but not including high.
func bounds(key schema, tests []expr.KeyTest) (low, high string, err error) {
	var hash, sort *expr.KeyTest
	for i := range tests {
		switch test := &tests[i]; {
		case test.Name == key.hash.name && hash == nil:
			hash = test
		case test.Name == key.sort.name && sort == nil && test.Name != "":
			sort = test
		case test.Name == key.hash.name || test.Name == key.sort.name:
			return "", "", invalid("KeyConditionExpressions must only contain one condition per key")
		case hash == nil && i == len(tests)-1 || key.sort.name == "":
			return "", "", invalid("Query condition missed key schema element: " + key.hash.name)
		default:
			return "", "", invalid("Query condition missed key schema element: " + key.sort.name)
		}
	}
	if hash == nil {
		return "", "", invalid("Query condition missed key schema element: " + key.hash.name)
	}
	if hash.Op != "=" {
		return "", "", invalid("Query key condition not supported")
	}
	if err := checkTest(key.hash, hash); err != nil {
		return "", "", err
	}
	partition := key.partition(hash.Values[0])
	if sort == nil {
		return string(partition), after(partition), nil
	}
	if err := checkTest(key.sort, sort); err != nil {
		return "", "", err
	}
	low, high = sortBounds(partition, sort)
	return low, high, nil
}

func checkTest(a keyAttribute, test *expr.KeyTest) error {
	for _, v := range test.Values {
		if v.Kind != a.kind {
			return invalid("One or more parameter values were invalid: Condition parameter type does not match schema type")
		}
		if v.Text == "" && a.kind != attr.N {
			kind := "string"
			if a.kind == attr.B {
				kind = "binary"
			}
			return invalid("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty " + kind + " value. Key: " + a.name)
		}
	}
	if test.Op == "begins_with" && a.kind == attr.N {
		return invalid("Invalid KeyConditionExpression: Incorrect operand type for operator or function; operator or function: begins_with, operand type: N")
	}
	return nil
}

// sortBounds is the range of one partition that a test on the sort key leaves.
func sortBounds(partition []byte, test *expr.KeyTest) (low, high string) {
	at := func(v attr.Value) []byte { return v.AppendOrdered(partition[:len(partition):len(partition)]) }
	value := test.Values[0]
	switch test.Op {
	case "<":
		return string(partition), string(at(value))
	case "<=":
		return string(partition), after(at(value))
	case ">":
		return after(at(value)), after(partition)
	case ">=":
		return string(at(value)), after(partition)
	case "BETWEEN":
		return string(at(value)), after(at(test.Values[1]))
	case "begins_with":
		prefix := value.AppendOrderedPrefix(partition[:len(partition):len(partition)])
		return string(prefix), after(prefix)
	default:
		return string(at(value)), after(at(value))
	}
}

// after is the first string above everything that begins with the prefix.
func after(prefix []byte) string {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != 0xff {
			return string(append(append([]byte(nil), prefix[:i]...), prefix[i]+1))
		}
	}
	return ""
}
