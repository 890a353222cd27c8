package conformance_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// column joins one attribute of some items.
func column(items []item, name string) string {
	var all []string
	for _, i := range items {
		all = append(all, strings.Trim(show(i[name]), `"`))
	}
	return strings.Join(all, " ")
}

func TestDynamoDB_QueryOrder(t *testing.T) {
	t.Parallel()
	c := newDynamoDB(t)
	numbers, texts := newTable(t, c, "N"), newTable(t, c, "S")
	for _, n := range []string{"10", "-1.5", "0", "2", "1", "1E20", "-1E20", "-10", "0.001", "1.5"} {
		putItems(t, c, numbers, item{"id": str("a"), "pos": num(n)}, item{"id": str("b"), "pos": num(n)})
	}
	for _, s := range []string{"b", "a", "abc", "ab", "B", "é", "😀", "豈"} {
		putItems(t, c, texts, item{"id": str("a"), "pos": str(s)})
	}
	for _, tc := range []struct {
		table, test string
		values      item
		want        string
	}{
		{numbers, "", nil, "-100000000000000000000 -10 -1.5 0 0.001 1 1.5 2 10 100000000000000000000"},
		{numbers, "AND pos = :v", item{":v": num("1.50")}, "1.5"},
		{numbers, "AND pos < :v", item{":v": num("0")}, "-100000000000000000000 -10 -1.5"},
		{numbers, "AND pos <= :v", item{":v": num("0")}, "-100000000000000000000 -10 -1.5 0"},
		{numbers, "AND pos > :v", item{":v": num("2")}, "10 100000000000000000000"},
		{numbers, "AND pos >= :v", item{":v": num("2")}, "2 10 100000000000000000000"},
		{numbers, "AND pos BETWEEN :v AND :w", item{":v": num("-2"), ":w": num("1.5")}, "-1.5 0 0.001 1 1.5"},
		{texts, "", nil, "B a ab abc b é 豈 😀"},
		{texts, "AND begins_with(pos, :v)", item{":v": str("ab")}, "ab abc"},
		{texts, "AND pos > :v", item{":v": str("ab")}, "abc b é 豈 😀"},
		{texts, "AND pos BETWEEN :v AND :w", item{":v": str("ab"), ":w": str("b")}, "ab abc b"},
	} {
		values := item{":id": str("a")}
		for k, v := range tc.values {
			values[k] = v
		}
		for _, forward := range []bool{true, false} {
			out, err := c.Query(t.Context(), &dynamodb.QueryInput{
				TableName: &tc.table, KeyConditionExpression: aws.String(strings.TrimSpace("id = :id " + tc.test)), ExpressionAttributeValues: values, ScanIndexForward: &forward,
			})
			if err != nil {
				t.Errorf("%s: %v", tc.test, err)
				continue
			}
			want := strings.Fields(tc.want)
			if !forward {
				slices.Reverse(want)
			}
			if got := column(out.Items, "pos"); got != strings.Join(want, " ") {
				t.Errorf("%q forward %v: got %s, want %s", tc.test, forward, got, want)
			}
		}
	}
}

func TestDynamoDB_QueryPages(t *testing.T) {
	t.Parallel()
	c := newDynamoDB(t)
	table := newTable(t, c, "N")
	for i := range 10 {
		putItems(t, c, table, item{"id": str("a"), "pos": num(itoa(i)), "even": boolean(i%2 == 0)}, item{"id": str("b"), "pos": num(itoa(i))})
	}
	for _, tc := range []struct {
		limit   int32
		forward bool
		filter  string
		want    string
	}{
		{3, true, "", "0 1 2 | 3 4 5 | 6 7 8 | 9"},
		{3, false, "", "9 8 7 | 6 5 4 | 3 2 1 | 0"},
		{5, true, "", "0 1 2 3 4 | 5 6 7 8 9 | "},
		{4, true, "even = :even", "0 2 | 4 6 | 8"},
	} {
		var pages []string
		in := &dynamodb.QueryInput{
			TableName: &table, KeyConditionExpression: aws.String("id = :id"), ExpressionAttributeValues: item{":id": str("a")},
			Limit: &tc.limit, ScanIndexForward: &tc.forward,
		}
		if tc.filter != "" {
			in.FilterExpression, in.ExpressionAttributeValues[":even"] = &tc.filter, boolean(true)
		}
		for {
			out, err := c.Query(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			pages = append(pages, column(out.Items, "pos"))
			if in.ExclusiveStartKey = out.LastEvaluatedKey; in.ExclusiveStartKey == nil {
				break
			}
		}
		if got := strings.Join(pages, " | "); got != tc.want {
			t.Errorf("limit %d forward %v %s: got %q, want %q", tc.limit, tc.forward, tc.filter, got, tc.want)
		}
	}
}

func TestDynamoDB_QueryErrors(t *testing.T) {
	t.Parallel()
	c := newDynamoDB(t)
	table := newTable(t, c, "N")
	for _, tc := range []struct {
		condition string
		values    item
		message   string
	}{
		{"pos = :n", item{":n": num("1")}, "Query condition missed key schema element: id"},
		{"id > :s", item{":s": str("a")}, "Query key condition not supported"},
		{"id = :s AND x = :n", item{":s": str("a"), ":n": num("1")}, "Query condition missed key schema element: pos"},
		{"id = :s OR pos = :n", item{":s": str("a"), ":n": num("1")}, "Invalid operator used in KeyConditionExpression: OR"},
		{"id = :s AND pos <> :n", item{":s": str("a"), ":n": num("1")}, "Invalid operator used in KeyConditionExpression: <>"},
		{"id = :s AND pos = :s", item{":s": str("a")}, "Condition parameter type does not match schema type"},
		{"id = :s AND pos > :n AND pos < :n", item{":s": str("a"), ":n": num("1")}, ""},
		{"id = :s AND begins_with(pos, :s)", item{":s": str("a")}, ""},
		{"id.x = :s", item{":s": str("a")}, ""},
	} {
		_, err := c.Query(t.Context(), &dynamodb.QueryInput{TableName: &table, KeyConditionExpression: &tc.condition, ExpressionAttributeValues: tc.values})
		wantInvalid(t, err, tc.message)
	}
	query := func(change func(*dynamodb.QueryInput)) error {
		in := &dynamodb.QueryInput{TableName: &table, KeyConditionExpression: aws.String("id = :s"), ExpressionAttributeValues: item{":s": str("a")}}
		change(in)
		_, err := c.Query(t.Context(), in)
		return err
	}
	wantInvalid(t, query(func(in *dynamodb.QueryInput) { in.FilterExpression = aws.String("id = :s") }), "Filter Expression can only contain non-primary key attributes: Primary key attribute: id")
	wantInvalid(t, query(func(in *dynamodb.QueryInput) { in.ExclusiveStartKey = item{"id": str("a")} }), "The provided starting key is invalid")
	wantInvalid(t, query(func(in *dynamodb.QueryInput) { in.ExclusiveStartKey = item{"id": str("b"), "pos": num("1")} }), "The provided starting key is outside query boundaries based on provided conditions")
	wantInvalid(t, query(func(in *dynamodb.QueryInput) { in.IndexName = aws.String("none") }), "The table does not have the specified index: none")
	wantInvalid(t, query(func(in *dynamodb.QueryInput) { in.Limit = aws.Int32(0) }), "")
}

func TestDynamoDB_Scan(t *testing.T) {
	t.Parallel()
	c := newDynamoDB(t)
	table := newTable(t, c, "")
	const items = 100
	for i := range items {
		putItems(t, c, table, item{"id": str(fmt.Sprintf("%03d", i)), "n": num(itoa(i))})
	}
	for _, tc := range []struct{ segments, limit int32 }{{1, 0}, {1, 7}, {4, 0}, {4, 9}, {64, 0}} {
		seen := map[string]int{}
		for segment := range tc.segments {
			in := &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)}
			if tc.segments > 1 {
				in.Segment, in.TotalSegments = &segment, &tc.segments
			}
			if tc.limit > 0 {
				in.Limit = &tc.limit
			}
			for pages := dynamodb.NewScanPaginator(c, in); pages.HasMorePages(); {
				out, err := pages.NextPage(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				for _, i := range out.Items {
					seen[show(i["id"])]++
				}
			}
		}
		if len(seen) != items {
			t.Errorf("%d segments, limit %d: %d items, want %d", tc.segments, tc.limit, len(seen), items)
		}
		for id, n := range seen {
			if n != 1 {
				t.Errorf("%d segments, limit %d: %s was seen %d times", tc.segments, tc.limit, id, n)
			}
		}
	}
	out, err := c.Scan(t.Context(), &dynamodb.ScanInput{
		TableName: &table, Select: types.SelectCount, FilterExpression: aws.String("n < :n"), ExpressionAttributeValues: item{":n": num("10")},
	})
	if err != nil || out.Count != 10 || out.ScannedCount != items || out.Items != nil {
		t.Errorf("count: got %+v, %v", out, err)
	}
	two := aws.Int32(2)
	_, err = c.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table, Segment: two, TotalSegments: two})
	wantInvalid(t, err, "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 2 is not less than TotalSegments: 2")
	_, err = c.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table, TotalSegments: two})
	wantInvalid(t, err, "The Segment parameter is required")
}

func TestDynamoDB_MegabytePages(t *testing.T) {
	t.Parallel()
	c := newDynamoDB(t)
	table := newTable(t, c, "N")
	text := strings.Repeat("x", 100_000)
	for i := range 25 {
		putItems(t, c, table, item{"id": str("a"), "pos": num(itoa(i)), "t": str(text)})
	}
	in := &dynamodb.QueryInput{TableName: &table, KeyConditionExpression: aws.String("id = :id"), ExpressionAttributeValues: item{":id": str("a")}}
	out, err := c.Query(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Items) < 10 || len(out.Items) > 11 || out.LastEvaluatedKey == nil {
		t.Errorf("the first page has %d items and last key %s, want about a megabyte", len(out.Items), show(out.LastEvaluatedKey))
	}
	in.ExclusiveStartKey = out.LastEvaluatedKey
	next, err := c.Query(t.Context(), in)
	if err != nil || len(next.Items) == 0 || show(next.Items[0]["pos"]) != itoa(len(out.Items)) {
		t.Errorf("the second page begins with %v, %v", column(next.Items, "pos"), err)
	}
}
