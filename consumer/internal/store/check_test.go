package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/store"
)

func TestCheck(t *testing.T) {
	b := arrange(t, 0)
	if err := store.Check(context.Background(), b.aws.Config("writer"), "messages", "X"); err != nil {
		t.Fatal(err)
	}
	err := store.Check(context.Background(), b.aws.Config("writer"), "absent", "CONSUMER_MESSAGES_TABLE")
	if !errors.Is(err, store.ErrTable) || !strings.Contains(err.Error(), `"absent" does not exist`) || !strings.Contains(err.Error(), "CONSUMER_MESSAGES_TABLE") {
		t.Fatalf("got %v", err)
	}
}

// TestCheck_Keys tells which keys a table must have: one whose id is of another
// type takes no item, and every message would become a dead letter.
func TestCheck_Keys(t *testing.T) {
	b := arrange(t, 0)
	for name, c := range map[string]struct {
		keys []string // of the table, the hash key first; each with its type behind it
		fit  bool
	}{
		"string": {[]string{"id", "S"}, true},
		"number": {[]string{"id", "N"}, false},
		"binary": {[]string{"id", "B"}, false},
		"named":  {[]string{"key", "S"}, false},
		"sorted": {[]string{"id", "S", "at", "S"}, false},
	} {
		in := &dynamodb.CreateTableInput{TableName: aws.String("keys-" + name), BillingMode: types.BillingModePayPerRequest}
		for i := 0; i < len(c.keys); i += 2 {
			in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{
				AttributeName: &c.keys[i], AttributeType: types.ScalarAttributeType(c.keys[i+1]),
			})
			in.KeySchema = append(in.KeySchema, types.KeySchemaElement{
				AttributeName: &c.keys[i], KeyType: []types.KeyType{types.KeyTypeHash, types.KeyTypeRange}[i/2],
			})
		}
		if _, err := b.aws.DynamoDB().CreateTable(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		err := store.Check(t.Context(), b.aws.Config("writer"), *in.TableName, "CONSUMER_MESSAGES_TABLE")
		switch {
		case c.fit && err != nil:
			t.Errorf("%s: got %v, want it fit", name, err)
		case !c.fit && (!errors.Is(err, store.ErrTable) || !strings.Contains(err.Error(), "name another in CONSUMER_MESSAGES_TABLE")):
			t.Errorf("%s: got %v, want it refused", name, err)
		}
	}
}
