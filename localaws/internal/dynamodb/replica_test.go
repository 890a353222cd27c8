package dynamodb_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb"
)

// TestService_StaleReads reads with and without consistency while the clock
// passes over the lag.
func TestService_StaleReads(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	s := service{t, dynamodb.New(dynamodb.Options{Now: func() time.Time { return now }, StaleReads: time.Second})}
	s.must("CreateTable", `{"TableName":"test","BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],
		"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"},{"AttributeName":"n","AttributeType":"N"}],
		"GlobalSecondaryIndexes":[{"IndexName":"by-n","Projection":{"ProjectionType":"ALL"},"KeySchema":[{"AttributeName":"n","KeyType":"HASH"}]}]}`)
	put := func(n int) {
		s.must("PutItem", fmt.Sprintf(`{"TableName":"test","Item":{"id":{"S":"a"},"n":{"N":"%d"}}}`, n))
	}
	check := func(when string, stale, fresh int) {
		t.Helper()
		for consistent, n := range map[bool]int{false: stale, true: fresh} {
			one, page := `{}`, `{"Items":[],"Count":0,"ScannedCount":0}`
			if n > 0 {
				one = fmt.Sprintf(`{"Item":{"n":{"N":"%d"}}}`, n)
				page = fmt.Sprintf(`{"Items":[{"n":{"N":"%d"}}],"Count":1,"ScannedCount":1}`, n)
			}
			names := `"ProjectionExpression":"n"`
			for operation, tc := range map[string]struct{ body, want string }{
				"GetItem": {fmt.Sprintf(`{"TableName":"test","Key":{"id":{"S":"a"}},"ConsistentRead":%v,%s}`, consistent, names), one},
				"Scan":    {fmt.Sprintf(`{"TableName":"test","ConsistentRead":%v,%s}`, consistent, names), page},
				"Query": {fmt.Sprintf(`{"TableName":"test","ConsistentRead":%v,%s,"KeyConditionExpression":"id = :a",
					"ExpressionAttributeValues":{":a":{"S":"a"}}}`, consistent, names), page},
				"BatchGetItem": {fmt.Sprintf(`{"RequestItems":{"test":{"Keys":[{"id":{"S":"a"}}],"ConsistentRead":%v,%s}}}`, consistent, names),
					`{"Responses":{"test":` + page[len(`{"Items":`):len(page)-len(fmt.Sprintf(`,"Count":%d,"ScannedCount":%[1]d}`, min(n, 1)))] + `},"UnprocessedKeys":{}}`},
			} {
				if got := s.must(operation, tc.body); got != tc.want {
					t.Errorf("%s: %s, consistent %v: got %s, want %s", when, operation, consistent, got, tc.want)
				}
			}
		}
		want := min(stale, 1)
		if got := s.must("Query", fmt.Sprintf(`{"TableName":"test","IndexName":"by-n","Select":"COUNT","KeyConditionExpression":"n = :n",
			"ExpressionAttributeValues":{":n":{"N":"%d"}}}`, max(stale, 1))); got != fmt.Sprintf(`{"Count":%d,"ScannedCount":%[1]d}`, want) {
			t.Errorf("%s: the index: got %s, want %d", when, got, want)
		}
	}
	put(1)
	check("at once", 0, 1)
	now = now.Add(999 * time.Millisecond)
	check("just before", 0, 1)
	now = now.Add(time.Millisecond)
	check("after a second", 1, 1)
	put(2)
	check("changed", 1, 2)
	now = now.Add(time.Second)
	s.must("DeleteItem", `{"TableName":"test","Key":{"id":{"S":"a"}}}`)
	check("deleted", 2, 0)
	now = now.Add(time.Second)
	check("at last", 0, 0)
}
