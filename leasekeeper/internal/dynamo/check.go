package dynamo

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Check tells whether both tables are there with the keys they must have, and the
// leases are those of one stream. Its error says what is missing and how to get it.
func (t *Tables) Check(ctx context.Context) error {
	if t.leases == t.workers {
		return fmt.Errorf("the lease and the worker table are both %q: they must be two tables", t.leases)
	}
	if err := t.checkTable(ctx, t.leases, leaseKey, "LEASEKEEPER_LEASE_TABLE"); err != nil {
		return err
	}
	if err := t.checkTable(ctx, t.workers, workerKey, "LEASEKEEPER_WORKER_TABLE"); err != nil {
		return err
	}
	return t.checkSingleStream(ctx)
}

func (t *Tables) checkTable(ctx context.Context, table, hashKey, setting string) error {
	ctx, cancel := context.WithTimeout(ctx, t.unhurried())
	defer cancel()
	out, err := t.api.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
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
