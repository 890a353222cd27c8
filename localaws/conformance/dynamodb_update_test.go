package conformance_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func updater(t *testing.T, c *dynamodb.Client, table string) func(id, expression string, rv types.ReturnValue) (item, error) {
	return func(id, expression string, rv types.ReturnValue) (item, error) {
		values, names := used(expression)
		out, err := c.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
			TableName: &table, Key: item{"id": str(id)}, UpdateExpression: &expression, ReturnValues: rv,
			ExpressionAttributeValues: values, ExpressionAttributeNames: names,
		})
		if err != nil {
			return nil, err
		}
		return out.Attributes, nil
	}
}

func TestDynamoDB_UpdateExpressions(t *testing.T) {
	t.Parallel()
	c := newDynamoDB(t)
	table := newTable(t, c, "")
	update := updater(t, c, table)
	for _, tc := range []struct {
		expression string
		changed    item // what is different afterwards
		removed    []string
		excused    []string
	}{
		{expression: "SET s = :n, n = :s", changed: item{"s": num("5"), "n": str("hello")}},
		{expression: "set s = n, n = s", changed: item{"s": num("5"), "n": str("hello")}},
		{expression: "SET x = :e, y = :z", changed: item{"x": str(""), "y": null()}},
		{expression: "SET m.x = :s", changed: item{"m": object(item{"a": num("1"), "x": str("hello"), "b": object(item{"c": str("d")})})}},
		{expression: "SET m.b.c = :n, m.a = :s", changed: item{"m": object(item{"a": str("hello"), "b": object(item{"c": num("5")})})}},
		{expression: "SET l[1] = :n, l[0] = :s", changed: item{"l": list(str("hello"), num("5"), object(item{"q": str("deep")}))}},
		{expression: "SET l[9] = :n, l[7] = :s", changed: item{"l": list(str("x"), num("1"), object(item{"q": str("deep")}), str("hello"), num("5"))}},
		{expression: "SET l[2].q = :n", changed: item{"l": list(str("x"), num("1"), object(item{"q": num("5")}))}},
		{expression: "SET n = n + :n1", changed: item{"n": num("6")}},
		{expression: "SET n = :n1 - n", changed: item{"n": num("-4")}},
		{expression: "SET n = (n + n)", changed: item{"n": num("10")}},
		{expression: "SET n = (n) + (:n1)", changed: item{"n": num("6")}, excused: []string{dynalite}},
		{expression: "SET n = if_not_exists(n, :s), x = if_not_exists(x, :s)", changed: item{"x": str("hello")}},
		{expression: "SET x = if_not_exists(nope, :n) + :n1", changed: item{"x": num("6")}},
		{expression: "SET l = list_append(:l, el), el = list_append(if_not_exists(nope, :el), :l)", changed: item{"l": list(str("new")), "el": list(str("new"))}},
		{expression: "REMOVE s, nope, m.a, m.nope", removed: []string{"s"}, changed: item{"m": object(item{"b": object(item{"c": str("d")})})}},
		{expression: "REMOVE l[0], l[1]", changed: item{"l": list(object(item{"q": str("deep")}))}, excused: []string{dynalite}},
		{expression: "SET l[0] = :s REMOVE l[1]", changed: item{"l": list(str("hello"), object(item{"q": str("deep")}))}},
		{expression: "ADD n :n1, x :n1, ss :sz, y :ss", changed: item{"n": num("6"), "x": num("1"), "ss": strs("x", "y", "z"), "y": strs("x", "y")}},
		{expression: "ADD m.a :n1", changed: item{"m": object(item{"a": num("2"), "b": object(item{"c": str("d")})})}},
		{expression: "DELETE ss :sz, ns :ns, nope :ss", changed: item{"ss": strs("x"), "ns": nums("1")}},
		{expression: "DELETE ss :ss", removed: []string{"ss"}},
		{expression: "SET #s = :n REMOVE n ADD x :n1 DELETE ss :sz", changed: item{"s": num("5"), "x": num("1"), "ss": strs("x")}, removed: []string{"n"}},
	} {
		if excused(tc.excused) {
			continue
		}
		putItems(t, c, table, sample())
		got, err := update("a", tc.expression, types.ReturnValueAllNew)
		if err != nil {
			t.Errorf("%s: %v", tc.expression, err)
			continue
		}
		want := sample()
		for name, v := range tc.changed {
			want[name] = v
		}
		for _, name := range tc.removed {
			delete(want, name)
		}
		if show(got) != show(want) {
			t.Errorf("%s:\ngot  %s\nwant %s", tc.expression, show(got), show(want))
		}
		wantItem(t, getItem(t, c, table, item{"id": str("a")}), want)
	}
}

func TestDynamoDB_UpdateErrors(t *testing.T) {
	t.Parallel()
	c := newDynamoDB(t)
	table := newTable(t, c, "")
	update := updater(t, c, table)
	putItems(t, c, table, sample())
	for _, tc := range []struct {
		expression, message string
		excused             []string
	}{
		{"SET nope.a = :s", "The document path provided in the update expression is invalid for update", nil},
		{"SET s.x = :s", "The document path provided in the update expression is invalid for update", nil},
		{"SET m[0] = :n", "The document path provided in the update expression is invalid for update", nil},
		{"SET l[5].q = :n", "The document path provided in the update expression is invalid for update", nil},
		{"REMOVE nope.a", "The document path provided in the update expression is invalid for update", nil},
		{"SET x = nope", "The provided expression refers to an attribute that does not exist in the item", nil},
		{"SET x = if_not_exists(nope, nope2)", "The provided expression refers to an attribute that does not exist in the item", nil},
		{"SET n = s + :n1", "An operand in the update expression has an incorrect data type", nil},
		{"SET n = n + :s", "Incorrect operand type for operator or function; operator or function: +, operand type: S", nil},
		{"SET l = list_append(l, s)", "An operand in the update expression has an incorrect data type", nil},
		{"SET l = list_append(l, :s)", "operator or function: list_append, operand type: S", nil},
		{"SET n = :big + :n", "more than 38 significant digits", []string{dynalite}},
		{"SET n = n + :n1 + :n1", "Syntax error", nil},
		{"SET id = :s", "Cannot update attribute id. This attribute is part of the key", nil},
		{"REMOVE #id", "Cannot update attribute id. This attribute is part of the key", nil},
		{"ADD s :n1", "An operand in the update expression has an incorrect data type", nil},
		{"ADD n :s", "Incorrect operand type for operator or function; operator: ADD, operand type: STRING", nil},
		{"DELETE ss :ns", "An operand in the update expression has an incorrect data type", nil},
		{"DELETE ss :s", "Incorrect operand type for operator or function; operator: DELETE, operand type: STRING", nil},
		{"SET s = :s SET n = :n", "The \"SET\" section can only be used once in an update expression", nil},
		{"SET s = :s, s = :n", "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [s], path two: [s]", nil},
		{"SET m = :m, m.a = :n", "path one: [m], path two: [m, a]", nil},
		{"SET l[0] = :s, l.a = :n", "Two document paths conflict with each other", nil},
		{"SET s", "Syntax error", nil},
		{"SET s = :s,", "Syntax error", nil},
		{"FOO s", "Syntax error", nil},
		{"SET s = attribute_exists(n)", "The function is not allowed in an update expression; function: attribute_exists", nil},
		{"SET x = list_append(list_append(l, l), l)", "The function is not allowed to be used this way in an expression; function: list_append", []string{dynalite}},
		{"", "The expression can not be empty", nil},
	} {
		if !excused(tc.excused) {
			t.Run(tc.expression, func(t *testing.T) {
				_, err := update("a", tc.expression, "")
				wantInvalid(t, err, tc.message)
			})
		}
	}
	wantItem(t, getItem(t, c, table, item{"id": str("a")}), sample())
}

func TestDynamoDB_UpdateReturnValues(t *testing.T) {
	t.Parallel()
	c := newDynamoDB(t)
	table := newTable(t, c, "")
	update := updater(t, c, table)
	for _, tc := range []struct {
		id, expression string
		rv             types.ReturnValue
		want           item
		excused        []string
	}{
		{"a", "SET s = :n, x = :s", types.ReturnValueNone, nil, nil},
		{"a", "SET s = :n, x = :s", types.ReturnValueUpdatedOld, item{"s": str("hello")}, nil},
		{"a", "SET s = :n, x = :s REMOVE n", types.ReturnValueUpdatedNew, item{"s": num("5"), "x": str("hello")}, nil},
		{"a", "SET m.b.c = :n", types.ReturnValueUpdatedNew, item{"m": object(item{"b": object(item{"c": num("5")})})}, []string{dynamoDBLocal}},
		{"a", "SET m.b.c = :n", types.ReturnValueUpdatedOld, item{"m": object(item{"b": object(item{"c": str("d")})})}, []string{dynamoDBLocal}},
		{"a", "SET s = :n", types.ReturnValueAllOld, sample(), nil},
		{"new", "SET s = :s, n = if_not_exists(n, :n1)", types.ReturnValueAllNew, item{"id": str("new"), "s": str("hello"), "n": num("1")}, nil},
		{"new", "ADD n :n1, ss :ss", types.ReturnValueAllNew, item{"id": str("new"), "n": num("1"), "ss": strs("x", "y")}, nil},
		{"new", "REMOVE s", types.ReturnValueAllNew, item{"id": str("new")}, nil},
		{"new", "SET s = :s", types.ReturnValueAllOld, nil, nil},
	} {
		if excused(tc.excused) {
			continue
		}
		putItems(t, c, table, sample())
		if _, err := c.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: item{"id": str("new")}}); err != nil {
			t.Fatal(err)
		}
		got, err := update(tc.id, tc.expression, tc.rv)
		if err != nil || show(got) != show(tc.want) {
			t.Errorf("%s %s: got %s, %v, want %s", tc.expression, tc.rv, show(got), err, show(tc.want))
		}
	}
	_, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item{"id": str("a")}, ReturnValues: types.ReturnValueAllNew})
	wantInvalid(t, err, "Return values set to invalid value")
}

func TestDynamoDB_Projections(t *testing.T) {
	t.Parallel()
	c := newDynamoDB(t)
	table := newTable(t, c, "")
	putItems(t, c, table, sample())
	project := func(expression string) (item, error) {
		_, names := used(expression)
		out, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{
			TableName: &table, Key: item{"id": str("a")}, ProjectionExpression: &expression, ExpressionAttributeNames: names,
		})
		if err != nil {
			return nil, err
		}
		return out.Item, nil
	}
	for expression, want := range map[string]item{
		"s, n, nope": {"s": str("hello"), "n": num("5")},
		"#s":         {"s": str("hello")},
		"m.b.c":      {"m": object(item{"b": object(item{"c": str("d")})})},
		"m.b, m.a":   {"m": object(item{"a": num("1"), "b": object(item{"c": str("d")})})},
		"l[2], l[0]": {"l": list(str("x"), object(item{"q": str("deep")}))},
		"l[2].q":     {"l": list(object(item{"q": str("deep")}))},
		"m.nope":     {},
	} {
		got, err := project(expression)
		if err != nil || show(got) != show(want) {
			t.Errorf("%s: got %s, %v, want %s", expression, show(got), err, show(want))
		}
	}
	for expression, message := range map[string]string{
		"s, s": "Two document paths overlap with each other", "m, m.a": "path one: [m], path two: [m, a]", "m.a, m[0]": "Two document paths conflict",
		"s,": "Syntax error", ":s": "Syntax error",
	} {
		_, err := project(expression)
		wantInvalid(t, err, message)
	}
	out, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &table, Key: item{"id": str("a")}, AttributesToGet: []string{"s", "n"}})
	if err != nil {
		t.Fatal(err)
	}
	wantItem(t, out.Item, item{"s": str("hello"), "n": num("5")})
	_, err = c.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: &table, Key: item{"id": str("a")}, AttributesToGet: []string{"s"}, ProjectionExpression: aws.String("n"),
	})
	wantInvalid(t, err, "Can not use both expression and non-expression parameters in the same request")
}
