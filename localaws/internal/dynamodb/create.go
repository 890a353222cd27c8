package dynamodb

import (
	"github.com/google/uuid"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/attr"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb/ordered"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

const badParameters = "One or more parameter values were invalid: "

type indexInput struct {
	IndexName             string
	KeySchema             []keyElement
	Projection            *projection
	ProvisionedThroughput *provision
}

type tag struct{ Key, Value string }

type createTableInput struct {
	TableName                 *string
	AttributeDefinitions      []attributeDefinition
	KeySchema                 []keyElement
	BillingMode               string
	ProvisionedThroughput     *provision
	GlobalSecondaryIndexes    []indexInput
	LocalSecondaryIndexes     []indexInput
	DeletionProtectionEnabled bool
	Tags                      []tag
	StreamSpecification       *struct{ StreamEnabled bool }
}

func (s *Service) createTable(r *wire.Request, in *createTableInput) (any, error) {
	name, err := checkName(in.TableName)
	if err != nil {
		return nil, err
	}
	if in.StreamSpecification != nil && in.StreamSpecification.StreamEnabled {
		return nil, invalid("localaws does not serve DynamoDB Streams: StreamSpecification must be left out")
	}
	t, err := s.newTable(name, r, in)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tables[name] != nil {
		return nil, exception("ResourceInUseException", "Table already exists: "+name)
	}
	s.tables[name] = t
	return map[string]any{"TableDescription": t.describe("ACTIVE")}, nil
}

func (s *Service) newTable(name string, r *wire.Request, in *createTableInput) (*table, error) {
	t := &table{
		name: name, id: uuid.NewString(), created: s.now(), now: s.now,
		arn:  "arn:aws:dynamodb:" + r.Region + ":" + r.Account + ":table/" + name,
		rows: ordered.New[*row](), replica: newReplica(s.stale),
		about: description{
			definitions: in.AttributeDefinitions, protected: in.DeletionProtectionEnabled, tags: make(map[string]string),
		},
	}
	for _, tag := range in.Tags {
		t.about.tags[tag.Key] = tag.Value
	}
	if err := t.bill(in.BillingMode, in.ProvisionedThroughput); err != nil {
		return nil, err
	}
	if err := t.about.checkDefinitions(); err != nil {
		return nil, err
	}
	var err error
	if t.key, err = t.about.schema(in.KeySchema); err != nil {
		return nil, err
	}
	if err := t.addIndexes(in); err != nil {
		return nil, err
	}
	return t, t.checkUnused()
}

func (t *table) addIndexes(in *createTableInput) error {
	for _, one := range in.LocalSecondaryIndexes {
		x, err := t.newIndex(one, true)
		if err != nil {
			return err
		}
		if x.key.hash != t.key.hash {
			return invalid(badParameters + "Table KeySchema: The AttributeValue for a key attribute of the index " + x.name + " must be the table's hash key")
		}
		t.indexes = append(t.indexes, x)
	}
	for _, one := range in.GlobalSecondaryIndexes {
		x, err := t.newIndex(one, false)
		if err != nil {
			return err
		}
		t.indexes = append(t.indexes, x)
	}
	return nil
}

func (t *table) newIndex(in indexInput, local bool) (*index, error) {
	if err := checkResourceName("indexName", in.IndexName); err != nil {
		return nil, err
	}
	if t.index(in.IndexName) != nil {
		return nil, invalid(badParameters + "Duplicate index name: " + in.IndexName)
	}
	key, err := t.about.schema(in.KeySchema)
	if err != nil {
		return nil, err
	}
	if in.Projection == nil || in.Projection.ProjectionType == "" {
		return nil, invalid(badParameters + "Unknown ProjectionType: null")
	}
	switch in.Projection.ProjectionType {
	case "ALL", "KEYS_ONLY":
		if in.Projection.NonKeyAttributes != nil {
			return nil, invalid(badParameters + "ProjectionType is " + in.Projection.ProjectionType + ", but NonKeyAttributes is specified")
		}
	case "INCLUDE":
		if in.Projection.NonKeyAttributes == nil {
			return nil, invalid(badParameters + "ProjectionType is INCLUDE, but NonKeyAttributes is not specified")
		}
	default:
		return nil, notInEnum(in.Projection.ProjectionType, "projection.projectionType", "[ALL, INCLUDE, KEYS_ONLY]")
	}
	x := &index{name: in.IndexName, local: local, key: key, base: t.key, projection: *in.Projection, rows: ordered.New[*row]()}
	if in.ProvisionedThroughput != nil {
		x.provision = *in.ProvisionedThroughput
	}
	return x, nil
}

// bill takes over billing mode and throughput.
func (t *table) bill(mode string, p *provision) error {
	switch mode {
	case "PAY_PER_REQUEST":
		if p != nil {
			return invalid(badParameters + "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
		}
		t.about.onDemand, t.about.onDemandAt, t.about.provision = true, t.now(), provision{}
	case "", "PROVISIONED":
		if p == nil {
			return invalid(badParameters + "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")
		}
		if p.ReadCapacityUnits < 1 {
			return tooSmall("provisionedThroughput.readCapacityUnits", int(p.ReadCapacityUnits), 1)
		}
		if p.WriteCapacityUnits < 1 {
			return tooSmall("provisionedThroughput.writeCapacityUnits", int(p.WriteCapacityUnits), 1)
		}
		t.about.onDemand, t.about.provision = false, *p
	default:
		return notInEnum(mode, "billingMode", "[PROVISIONED, PAY_PER_REQUEST]")
	}
	return nil
}

// checkDefinitions checks AttributeDefinitions.
func (d *description) checkDefinitions() error {
	if len(d.definitions) == 0 {
		return invalid("Invalid KeySchema: Some index key attribute have no definition")
	}
	seen := make(map[string]bool, len(d.definitions))
	for _, a := range d.definitions {
		switch attr.KindOf(a.AttributeType) {
		case attr.S, attr.N, attr.B:
		default:
			return notInEnum(a.AttributeType, "attributeDefinitions.member.attributeType", "[B, N, S]")
		}
		if seen[a.AttributeName] {
			return invalid(badParameters + "Duplicate AttributeName: " + a.AttributeName)
		}
		seen[a.AttributeName] = true
	}
	return nil
}

// schema reads a KeySchema.
func (d *description) schema(elements []keyElement) (schema, error) {
	if elements == nil {
		return schema{}, notNull("keySchema")
	}
	if len(elements) == 0 {
		return schema{}, invalid("1 validation error detected: Value '[]' at 'keySchema' failed to satisfy constraint: Member must have length greater than or equal to 1")
	}
	if len(elements) > 2 {
		return schema{}, invalid("1 validation error detected: Value at 'keySchema' failed to satisfy constraint: Member must have length less than or equal to 2")
	}
	var s schema
	for i, e := range elements {
		kind := d.kind(e.AttributeName)
		if kind == attr.None {
			return s, invalid(badParameters + "Some index key attributes are not defined in AttributeDefinitions. Keys: [" + e.AttributeName + "], AttributeDefinitions: " + d.names())
		}
		a := keyAttribute{e.AttributeName, kind}
		switch {
		case i == 0 && e.KeyType == "HASH":
			s.hash = a
		case i == 0:
			return s, invalid("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
		case e.KeyType != "RANGE":
			return s, invalid("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
		case e.AttributeName == s.hash.name:
			return s, invalid("Both the Hash Key and the Range Key element in the KeySchema have the same name")
		default:
			s.sort = a
		}
	}
	return s, nil
}

func (d *description) names() string {
	list := "["
	for i, a := range d.definitions {
		if i > 0 {
			list += ", "
		}
		list += a.AttributeName
	}
	return list + "]"
}

// checkUnused refuses a definition that no key needs.
func (t *table) checkUnused() error {
	for _, a := range t.about.definitions {
		used := t.key.has(a.AttributeName)
		for _, x := range t.indexes {
			used = used || x.key.has(a.AttributeName)
		}
		if !used {
			return invalid(badParameters + "Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions: some are not used. AttributeDefinitions: " + t.about.names() + ", unused: " + a.AttributeName)
		}
	}
	return nil
}
