package dynamodb

import (
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

type attributeDefinition struct {
	AttributeName string
	AttributeType string
}

type keyElement struct {
	AttributeName string
	KeyType       string
}

type provision struct {
	ReadCapacityUnits  int64
	WriteCapacityUnits int64
}

// description is what a table knows of itself only to tell it.
type description struct {
	definitions []attributeDefinition
	onDemand    bool
	onDemandAt  time.Time
	provision   provision
	protected   bool
	tags        map[string]string
	recovery    bool // point-in-time recovery is on
}

func (s schema) elements() []keyElement {
	elements := []keyElement{{s.hash.name, "HASH"}}
	if s.sort.name != "" {
		elements = append(elements, keyElement{s.sort.name, "RANGE"})
	}
	return elements
}

// kind is the type a definition gives an attribute.
func (d *description) kind(name string) attr.Kind {
	for _, a := range d.definitions {
		if a.AttributeName == name {
			return attr.KindOf(a.AttributeType)
		}
	}
	return attr.None
}

// describe is the TableDescription; the table is locked.
func (t *table) describe(status string) map[string]any {
	about := map[string]any{
		"TableName":                 t.name,
		"TableArn":                  t.arn,
		"TableId":                   t.id,
		"TableStatus":               status,
		"CreationDateTime":          wire.Time{Time: t.created},
		"KeySchema":                 t.key.elements(),
		"AttributeDefinitions":      t.about.definitions,
		"ItemCount":                 t.rows.Len(),
		"TableSizeBytes":            t.size,
		"DeletionProtectionEnabled": t.about.protected,
		"ProvisionedThroughput":     t.about.provision.describe(),
	}
	if t.about.onDemand {
		about["BillingModeSummary"] = map[string]any{
			"BillingMode":                       "PAY_PER_REQUEST",
			"LastUpdateToPayPerRequestDateTime": wire.Time{Time: t.about.onDemandAt},
		}
	}
	var global, local []map[string]any
	for _, x := range t.indexes {
		if x.local {
			local = append(local, x.describe(t.arn))
		} else {
			global = append(global, x.describe(t.arn))
		}
	}
	if global != nil {
		about["GlobalSecondaryIndexes"] = global
	}
	if local != nil {
		about["LocalSecondaryIndexes"] = local
	}
	return about
}

func (p provision) describe() map[string]any {
	return map[string]any{
		"NumberOfDecreasesToday": 0,
		"ReadCapacityUnits":      p.ReadCapacityUnits,
		"WriteCapacityUnits":     p.WriteCapacityUnits,
	}
}

func (x *index) describe(tableARN string) map[string]any {
	about := map[string]any{
		"IndexName":      x.name,
		"IndexArn":       tableARN + "/index/" + x.name,
		"KeySchema":      x.key.elements(),
		"Projection":     x.projection,
		"ItemCount":      x.rows.Len(),
		"IndexSizeBytes": x.size,
	}
	if !x.local {
		about["IndexStatus"] = "ACTIVE"
		about["ProvisionedThroughput"] = x.provision.describe()
	}
	return about
}
