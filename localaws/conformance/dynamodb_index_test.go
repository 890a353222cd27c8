package conformance_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// TestDynamoDB_IndexKeySize: the key of a secondary index is as limited as a
// table's, in puts and updates.
func TestDynamoDB_IndexKeySize(t *testing.T) {
	t.Parallel()
	c := newDynamoDB(t)
	table := uniqueName("table")
	createTable(t, c, &dynamodb.CreateTableInput{
		TableName: &table, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("id"), AttributeType: "S"}, {AttributeName: aws.String("h"), AttributeType: "S"}, {AttributeName: aws.String("r"), AttributeType: "S"},
		},
		KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: "HASH"}},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String("index"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
			KeySchema: []types.KeySchemaElement{{AttributeName: aws.String("h"), KeyType: "HASH"}, {AttributeName: aws.String("r"), KeyType: "RANGE"}},
		}},
	})
	long := func(n int) attr { return str(strings.Repeat("x", n)) }
	for _, tc := range []struct {
		name string
		item item
		ok   bool
	}{
		{"the longest", item{"id": str("a"), "h": long(2048), "r": long(1024)}, true},
		{"hash", item{"id": str("a"), "h": long(2049), "r": long(1)}, false},
		{"range", item{"id": str("a"), "h": long(1), "r": long(1025)}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: tc.item})
			if tc.ok {
				wantStored(t, err)
				return
			}
			knownFault(t, dynalite, "takes keys of any length")
			wantCode(t, err, "ValidationException")
			knownFault(t, dynamoDBLocal, "looks at puts only")
			_, err = c.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
				TableName: &table, Key: item{"id": str("b")}, UpdateExpression: aws.String("SET h = :h, r = :r"),
				ExpressionAttributeValues: item{":h": tc.item["h"], ":r": tc.item["r"]},
			})
			wantCode(t, err, "ValidationException")
		})
	}
}
