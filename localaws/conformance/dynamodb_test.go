package conformance_test

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/sdktest"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/server"
)

// dynamoEndpoint names the variable that points the tests at another server.
const dynamoEndpoint = "CONFORMANCE_DYNAMODB_ENDPOINT"

// Names of the other servers, for known faults.
const (
	dynalite      = "dynalite"
	dynamoDBLocal = "dynamodb-local"
)

type (
	item = map[string]types.AttributeValue
	attr = types.AttributeValue
)

func str(s string) attr { return &types.AttributeValueMemberS{Value: s} }

func num(s string) attr { return &types.AttributeValueMemberN{Value: s} }

func bin(s string) attr { return &types.AttributeValueMemberB{Value: []byte(s)} }

func boolean(b bool) attr { return &types.AttributeValueMemberBOOL{Value: b} }

func null() attr { return &types.AttributeValueMemberNULL{Value: true} }

func strs(s ...string) attr { return &types.AttributeValueMemberSS{Value: s} }

func nums(s ...string) attr { return &types.AttributeValueMemberNS{Value: s} }

func list(v ...attr) attr { return &types.AttributeValueMemberL{Value: v} }

func object(m item) attr { return &types.AttributeValueMemberM{Value: m} }

// newDynamoDB returns a client of the server under test: localaws in this
// process, or the one the environment names. An error of localaws is never
// tried again: it would hide a fault of ours.
func newDynamoDB(t *testing.T) *dynamodb.Client {
	t.Helper()
	endpoint := os.Getenv(dynamoEndpoint)
	attempts := 5 // DynamoDB Local answers 500 now and then while it makes an index
	if endpoint == "" {
		attempts = 1
		s := server.New(server.Options{Secret: "secret"})
		var err error
		if endpoint, err = s.Start("127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
	}
	return dynamodb.New(dynamodb.Options{
		BaseEndpoint: aws.String(endpoint), Region: "us-east-1", HTTPClient: sdktest.NewHTTPClient(), RetryMaxAttempts: attempts,
		Credentials: credentials.NewStaticCredentialsProvider("conformance", "secret", ""),
	})
}

// newTable makes a table with the hash key "id" S and, if sort is not empty, a
// sort key of that type named "pos".
func newTable(t *testing.T, c *dynamodb.Client, sort types.ScalarAttributeType) string {
	t.Helper()
	name := uniqueName("table")
	in := &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: "S"}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	}
	if sort != "" {
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{AttributeName: aws.String("pos"), AttributeType: sort})
		in.KeySchema = append(in.KeySchema, types.KeySchemaElement{AttributeName: aws.String("pos"), KeyType: types.KeyTypeRange})
	}
	createTable(t, c, in)
	return name
}

func createTable(t *testing.T, c *dynamodb.Client, in *dynamodb.CreateTableInput) {
	t.Helper()
	ctx := t.Context()
	if _, err := c.CreateTable(ctx, in); err != nil {
		t.Fatalf("create table: %v", err)
	}
	t.Cleanup(func() {
		_, _ = c.DeleteTable(context.WithoutCancel(ctx), &dynamodb.DeleteTableInput{TableName: in.TableName})
	})
	waitTable(t, c, *in.TableName)
}

func waitTable(t *testing.T, c *dynamodb.Client, name string) *types.TableDescription {
	t.Helper()
	for range 500 {
		out, err := c.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &name})
		if err != nil {
			t.Fatalf("describe table: %v", err)
		}
		ready := out.Table.TableStatus == types.TableStatusActive
		for _, x := range out.Table.GlobalSecondaryIndexes {
			ready = ready && x.IndexStatus == types.IndexStatusActive
		}
		if ready {
			return out.Table
		}
		pause(t, tick)
	}
	t.Fatalf("table %s is not active", name)
	return nil
}

func putItems(t *testing.T, c *dynamodb.Client, table string, items ...item) {
	t.Helper()
	for _, i := range items {
		if _, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: i}); err != nil {
			t.Fatalf("put %s: %v", show(i), err)
		}
	}
}

func getItem(t *testing.T, c *dynamodb.Client, table string, key item) item {
	t.Helper()
	out, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &table, Key: key, ConsistentRead: aws.Bool(true)})
	if err != nil {
		t.Fatalf("get %s: %v", show(key), err)
	}
	return out.Item
}

// wantInvalid checks for a ValidationException that says all of the parts.
func wantInvalid(t *testing.T, err error, parts ...string) {
	t.Helper()
	wantCode(t, err, "ValidationException")
	var api smithy.APIError
	if !errors.As(err, &api) || !comparableWords(api.ErrorMessage()) {
		return
	}
	for _, part := range parts {
		if !strings.Contains(api.ErrorMessage(), part) {
			t.Errorf("got message %q, want %q in it", api.ErrorMessage(), part)
		}
	}
}

// comparableWords reports whether a message is in the service's own words: all
// of localaws's should be; DynamoDB Local has the service's expressions, but
// other words for the rest; dynalite's parser has its own.
func comparableWords(message string) bool {
	switch {
	case isServer(dynalite):
		return false
	case isServer(dynamoDBLocal):
		return strings.HasPrefix(message, "Invalid ") && !strings.HasPrefix(message, "Invalid table")
	default:
		return true
	}
}

func wantItem(t *testing.T, got, want item) {
	t.Helper()
	if show(got) != show(want) {
		t.Errorf("got %s, want %s", show(got), show(want))
	}
}

func ids(items []item) string {
	var all []string
	for _, i := range items {
		all = append(all, show(i["id"]))
	}
	return strings.Join(all, " ")
}

func itoa(i int) string { return strconv.Itoa(i) }
