package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

// ErrTable is in the chain of an error that a table is missing or unfit.
var ErrTable = errors.New("unusable table")

const checkTimeout = 8 * time.Second

// Check finds whether a table is there and has the hash key id, a string: to one
// of another type every item is a bad one. Without the permission to look it
// finds nothing, which is no error.
func Check(ctx context.Context, cfg aws.Config, name, setting string) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	client := dynamodb.NewFromConfig(cfg)
	out, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(name)})
	var missing *types.ResourceNotFoundException
	var api smithy.APIError
	switch {
	case errors.As(err, &missing):
		return fmt.Errorf("%w: DynamoDB table %q does not exist in region %s: create it (hash key id, a string), or name another in %s", ErrTable, name, cfg.Region, setting)
	case errors.As(err, &api) && api.ErrorCode() == "AccessDeniedException":
		return nil
	case err != nil:
		return fmt.Errorf("look at table %q: %w", name, err)
	}
	if !fits(out.Table) {
		return fmt.Errorf("%w: DynamoDB table %q must have the hash key id, a string, and no other: name another in %s", ErrTable, name, setting)
	}
	return nil
}

// fits tells whether a table's key is id, a string.
func fits(t *types.TableDescription) bool {
	isString := func(a types.AttributeDefinition) bool {
		return aws.ToString(a.AttributeName) == attrID && a.AttributeType == types.ScalarAttributeTypeS
	}
	return len(t.KeySchema) == 1 && aws.ToString(t.KeySchema[0].AttributeName) == attrID && slices.ContainsFunc(t.AttributeDefinitions, isString)
}
