package dynamodb

import (
	"slices"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

type indexUpdate struct {
	Create *indexInput
	Update *indexInput
	Delete *indexInput
}

type updateTableInput struct {
	TableName                   *string
	AttributeDefinitions        []attributeDefinition
	BillingMode                 string
	ProvisionedThroughput       *provision
	DeletionProtectionEnabled   *bool
	GlobalSecondaryIndexUpdates []indexUpdate
}

func (s *Service) updateTable(_ *wire.Request, in *updateTableInput) (any, error) {
	t, err := s.described(in.TableName)
	if err != nil {
		return nil, err
	}
	t.lock()
	defer t.mu.Unlock()
	if in.BillingMode == "" && in.ProvisionedThroughput == nil && in.DeletionProtectionEnabled == nil && len(in.GlobalSecondaryIndexUpdates) == 0 {
		return nil, invalid("At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required")
	}
	if in.BillingMode != "" || in.ProvisionedThroughput != nil {
		if err := t.bill(in.BillingMode, in.ProvisionedThroughput); err != nil {
			return nil, err
		}
	}
	if in.DeletionProtectionEnabled != nil {
		t.about.protected = *in.DeletionProtectionEnabled
	}
	for _, u := range in.GlobalSecondaryIndexUpdates {
		if err := t.updateIndex(u, in.AttributeDefinitions); err != nil {
			return nil, err
		}
	}
	return map[string]any{"TableDescription": t.describe("ACTIVE")}, nil
}

func (t *table) updateIndex(u indexUpdate, definitions []attributeDefinition) error {
	switch {
	case u.Create != nil:
		return t.createIndex(*u.Create, definitions)
	case u.Delete != nil:
		x := t.index(u.Delete.IndexName)
		if x == nil || x.local {
			return exception("ResourceNotFoundException", "Requested resource not found")
		}
		t.indexes = slices.DeleteFunc(t.indexes, func(i *index) bool { return i == x })
		t.forgetDefinitions()
		return nil
	case u.Update != nil:
		x := t.index(u.Update.IndexName)
		if x == nil || x.local {
			return exception("ResourceNotFoundException", "Requested resource not found")
		}
		if u.Update.ProvisionedThroughput != nil {
			x.provision = *u.Update.ProvisionedThroughput
		}
		return nil
	default:
		return invalid(badParameters + "One of GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Delete must not be null")
	}
}

// createIndex adds an index and fills it with the rows there are. Rows whose
// attributes do not fit its key stay out, as the service does in a backfill.
func (t *table) createIndex(in indexInput, definitions []attributeDefinition) error {
	if t.index(in.IndexName) != nil {
		return invalid("Attempting to create an index which already exists")
	}
	before := t.about.definitions
	for _, a := range definitions {
		if t.about.kind(a.AttributeName) == attr.None {
			t.about.definitions = append(slices.Clone(t.about.definitions), a)
		}
	}
	if err := t.about.checkDefinitions(); err != nil {
		t.about.definitions = before
		return err
	}
	x, err := t.newIndex(in, false)
	if err != nil {
		t.about.definitions = before
		return err
	}
	t.indexes = append(t.indexes, x)
	if err := t.checkUnused(); err != nil {
		t.about.definitions, t.indexes = before, t.indexes[:len(t.indexes)-1]
		return err
	}
	for at := t.rows.First(""); at != nil; at = at.Next() {
		if x.check(at.Value.item) == nil {
			x.replace(at.Key, nil, at.Value)
		}
	}
	return nil
}

// forgetDefinitions drops the attributes that no key needs any more.
func (t *table) forgetDefinitions() {
	t.about.definitions = slices.DeleteFunc(slices.Clone(t.about.definitions), func(a attributeDefinition) bool {
		if t.key.has(a.AttributeName) {
			return false
		}
		return !slices.ContainsFunc(t.indexes, func(x *index) bool { return x.key.has(a.AttributeName) })
	})
}
