package dynamo

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Describer is the part of the DynamoDB client that Check needs.
type Describer interface {
	DescribeTable(context.Context, *dynamodb.DescribeTableInput, ...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error)
}

// Check tells whether both tables are there with the keys they must have. Its
// error says what is missing and how to get it.
func Check(ctx context.Context, api Describer, leaseTable, workerTable string) error {
	if leaseTable == workerTable {
		return fmt.Errorf("the lease and the worker table are both %q: they must be two tables", leaseTable)
	}
	if err := checkTable(ctx, api, leaseTable, leaseKey, "LEASEKEEPER_LEASE_TABLE"); err != nil {
		return err
	}
	return checkTable(ctx, api, workerTable, workerKey, "LEASEKEEPER_WORKER_TABLE")
}

func checkTable(ctx context.Context, api Describer, table, hashKey, setting string) error {
	out, err := api.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	var missing *types.ResourceNotFoundException
	switch {
	case errors.As(err, &missing):
		return fmt.Errorf("table %q does not exist: create it with the hash key %s (string), as the Terraform module dynamodb does, or set %s",
			table, hashKey, setting)
	case err != nil:
		return fmt.Errorf("describe table %q: %w", table, err)
	}
	d := out.Table
	if len(d.KeySchema) != 1 || d.KeySchema[0].AttributeName == nil || *d.KeySchema[0].AttributeName != hashKey {
		return fmt.Errorf("table %q has another key: want the hash key %s (string) and no range key; is %s the right table?", table, hashKey, setting)
	}
	for _, a := range d.AttributeDefinitions {
		if a.AttributeName != nil && *a.AttributeName == hashKey && a.AttributeType != types.ScalarAttributeTypeS {
			return fmt.Errorf("table %q has the key %s of type %s: want a string", table, hashKey, a.AttributeType)
		}
	}
	if d.TableStatus == types.TableStatusCreating || d.TableStatus == types.TableStatusDeleting {
		return fmt.Errorf("table %q is %s: start again when it is ACTIVE", table, d.TableStatus)
	}
	return nil
}
