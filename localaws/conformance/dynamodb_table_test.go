package conformance_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

func hashKey(name string) []types.KeySchemaElement {
	return []types.KeySchemaElement{{AttributeName: &name, KeyType: types.KeyTypeHash}}
}

func definitions(names ...string) []types.AttributeDefinition {
	var all []types.AttributeDefinition
	for _, n := range names {
		all = append(all, types.AttributeDefinition{AttributeName: aws.String(n), AttributeType: types.ScalarAttributeTypeS})
	}
	return all
}

func TestDynamoDB_Tables(t *testing.T) {
	t.Parallel()
	c := newDynamoDB(t)
	ctx := t.Context()
	name := newTable(t, c, "N")
	putItems(t, c, name, item{"id": str("a"), "pos": num("1")})
	table := waitTable(t, c, name)
	if *table.TableName != name || len(table.KeySchema) != 2 || len(table.AttributeDefinitions) != 2 || table.CreationDateTime == nil {
		t.Errorf("got %+v", table)
	}
	if s := table.BillingModeSummary; s == nil || s.BillingMode != types.BillingModePayPerRequest {
		t.Errorf("billing mode %+v", s)
	}
	_, err := c.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest, KeySchema: hashKey("id"), AttributeDefinitions: definitions("id"),
	})
	wantCode(t, err, "ResourceInUseException")
	listed := 0
	for pages := dynamodb.NewListTablesPaginator(c, &dynamodb.ListTablesInput{Limit: aws.Int32(1)}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if slices.Contains(page.TableNames, name) {
			listed++
		}
	}
	if listed != 1 {
		t.Errorf("the table is listed %d times", listed)
	}
	gone, err := c.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name})
	if err != nil || *gone.TableDescription.TableName != name {
		t.Fatalf("delete: got %+v, %v", gone, err)
	}
	for range 500 {
		if _, err = c.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name}); err != nil {
			break
		}
		pause(t, tick)
	}
	wantCode(t, err, "ResourceNotFoundException")
	_, err = c.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &name})
	wantCode(t, err, "ResourceNotFoundException")
}

func TestDynamoDB_CreateTableErrors(t *testing.T) {
	t.Parallel()
	c := newDynamoDB(t)
	for name, change := range map[string]func(*dynamodb.CreateTableInput){
		"key undefined": func(in *dynamodb.CreateTableInput) { in.KeySchema = hashKey("other") },
		"unused":        func(in *dynamodb.CreateTableInput) { in.AttributeDefinitions = definitions("id", "other") },
		"range first":   func(in *dynamodb.CreateTableInput) { in.KeySchema[0].KeyType = types.KeyTypeRange },
		"document key":  func(in *dynamodb.CreateTableInput) { in.AttributeDefinitions[0].AttributeType = "M" },
		"no throughput": func(in *dynamodb.CreateTableInput) { in.BillingMode = types.BillingModeProvisioned },
		"short name":    func(in *dynamodb.CreateTableInput) { in.TableName = aws.String("ab") },
		"bad name":      func(in *dynamodb.CreateTableInput) { in.TableName = aws.String("a b c") },
	} {
		in := &dynamodb.CreateTableInput{
			TableName: aws.String(uniqueName("bad")), BillingMode: types.BillingModePayPerRequest, KeySchema: hashKey("id"), AttributeDefinitions: definitions("id"),
		}
		change(in)
		t.Run(name, func(t *testing.T) {
			_, err := c.CreateTable(t.Context(), in)
			wantInvalid(t, err)
		})
	}
}

func TestDynamoDB_TimeToLive(t *testing.T) {
	t.Parallel()
	knownFault(t, dynalite, "UpdateTimeToLive is not known")
	c := newDynamoDB(t)
	table := newTable(t, c, "")
	set := func(attribute string, on bool) error {
		_, err := c.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{
			TableName: &table, TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: &attribute, Enabled: &on},
		})
		return err
	}
	status := func() types.TimeToLiveStatus {
		out, err := c.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: &table})
		if err != nil {
			t.Fatal(err)
		}
		return out.TimeToLiveDescription.TimeToLiveStatus
	}
	if got := status(); got != types.TimeToLiveStatusDisabled {
		t.Errorf("at first it is %s", got)
	}
	if err := set("expiresAt", true); err != nil || status() != types.TimeToLiveStatusEnabled {
		t.Errorf("turned on, it is %s, %v", status(), err)
	}
	wantInvalid(t, set("expiresAt", true), "TimeToLive is already enabled")
}

// TestDynamoDB_Index is what the Kinesis Client Library 3 does: an index on the
// owner, made later, projecting keys only.
func TestDynamoDB_Index(t *testing.T) {
	t.Parallel()
	knownFault(t, dynalite, "UpdateTable wants a throughput for an index of a table that has none")
	c := newDynamoDB(t)
	table := newTable(t, c, "")
	lease := func(key, owner string) item {
		return item{"id": str(key), "leaseOwner": str(owner), "leaseCounter": num("1")}
	}
	putItems(t, c, table, lease("s1", "w1"), lease("s2", "w2"), lease("s3", "w1"), item{"id": str("free")})
	index := "LeaseOwnerToLeaseKeyIndex"
	keys := append(hashKey("leaseOwner"), types.KeySchemaElement{AttributeName: aws.String("id"), KeyType: types.KeyTypeRange})
	_, err := c.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{
		TableName: &table, AttributeDefinitions: definitions("leaseOwner", "id"),
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: &types.CreateGlobalSecondaryIndexAction{
			IndexName: &index, KeySchema: keys, Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := waitTable(t, c, table).GlobalSecondaryIndexes; len(got) != 1 || *got[0].IndexName != index {
		t.Fatalf("got indexes %+v", got)
	}
	owned := func(owner string) string {
		out, err := c.Query(t.Context(), &dynamodb.QueryInput{
			TableName: &table, IndexName: &index, KeyConditionExpression: aws.String("leaseOwner = :o"), ExpressionAttributeValues: item{":o": str(owner)},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range out.Items {
			if len(i) != 2 {
				t.Errorf("the index shows %s, want the keys", show(i))
			}
		}
		return ids(out.Items)
	}
	wantOwned := func(owner, want string) {
		t.Helper()
		if got := owned(owner); got != want {
			t.Errorf("%s owns %s, want %s", owner, got, want)
		}
	}
	wantOwned("w1", `"s1" "s3"`)
	putItems(t, c, table, lease("s1", "w2"))
	wantOwned("w1", `"s3"`)
	wantOwned("w2", `"s1" "s2"`)
	if _, err := c.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: &table, Key: item{"id": str("s1")}, AttributeUpdates: map[string]types.AttributeValueUpdate{"leaseOwner": {Action: types.AttributeActionDelete}},
	}); err != nil {
		t.Fatal(err)
	}
	wantOwned("w2", `"s2"`)
	out, err := c.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table, IndexName: &index})
	if err != nil || len(out.Items) != 2 {
		t.Errorf("scan of the index: %d items, %v", len(out.Items), err)
	}
	_, err = c.Query(t.Context(), &dynamodb.QueryInput{
		TableName: &table, IndexName: &index, KeyConditionExpression: aws.String("leaseOwner = :o"), ExpressionAttributeValues: item{":o": str("w1")}, ConsistentRead: aws.Bool(true),
	})
	wantInvalid(t, err)
	if _, err := c.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{
		TableName: &table, GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Delete: &types.DeleteGlobalSecondaryIndexAction{IndexName: &index}}},
	}); err != nil {
		t.Error(err)
	}
}

// TestDynamoDB_LegacyParameters is what the Kinesis Client Library writes leases by.
func TestDynamoDB_LegacyParameters(t *testing.T) {
	t.Parallel()
	c := newDynamoDB(t)
	table := newTable(t, c, "")
	key := item{"id": str("shard")}
	put := func(expected map[string]types.ExpectedAttributeValue) error {
		_, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item{"id": str("shard"), "leaseCounter": num("0")}, Expected: expected})
		return err
	}
	absent := map[string]types.ExpectedAttributeValue{"id": {Exists: aws.Bool(false)}}
	if err := put(absent); err != nil {
		t.Fatal(err)
	}
	wantCode(t, put(absent), "ConditionalCheckFailedException")
	update := func(counter string, updates map[string]types.AttributeValueUpdate) (item, error) {
		out, err := c.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
			TableName: &table, Key: key, AttributeUpdates: updates, ReturnValues: types.ReturnValueAllNew,
			Expected: map[string]types.ExpectedAttributeValue{"leaseCounter": {Value: num(counter)}, "leaseOwner": {Exists: aws.Bool(false)}},
		})
		if err != nil {
			return nil, err
		}
		return out.Attributes, nil
	}
	took := map[string]types.AttributeValueUpdate{
		"leaseCounter": {Action: types.AttributeActionPut, Value: num("1")}, "leaseOwner": {Action: types.AttributeActionPut, Value: str("w1")},
		"switches": {Action: types.AttributeActionAdd, Value: num("1")}, "parents": {Action: types.AttributeActionAdd, Value: strs("p")},
	}
	got, err := update("0", took)
	if err != nil {
		t.Fatal(err)
	}
	wantItem(t, got, item{"id": str("shard"), "leaseCounter": num("1"), "leaseOwner": str("w1"), "switches": num("1"), "parents": strs("p")})
	_, err = update("0", took)
	wantCode(t, err, "ConditionalCheckFailedException")
	wantInvalid(t, put(map[string]types.ExpectedAttributeValue{"id": {Exists: aws.Bool(true)}}), "Value must be provided when Exists is true for Attribute: id")
	// The Kinesis Client Library 1 gives an operator its argument as Value.
	compared := func(e types.ExpectedAttributeValue) error {
		_, err := c.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
			TableName: &table, Key: key, Expected: map[string]types.ExpectedAttributeValue{"leaseOwner": e},
			AttributeUpdates: map[string]types.AttributeValueUpdate{"leaseCounter": {Action: types.AttributeActionPut, Value: num("1")}},
		})
		return err
	}
	if err := compared(types.ExpectedAttributeValue{ComparisonOperator: "NE", Value: str("w2")}); err != nil {
		t.Error(err)
	}
	wantCode(t, compared(types.ExpectedAttributeValue{ComparisonOperator: "NE", Value: str("w1")}), "ConditionalCheckFailedException")
	wantInvalid(t, compared(types.ExpectedAttributeValue{ComparisonOperator: "NE", Value: str("w2"), AttributeValueList: []attr{str("w2")}}), "Value and AttributeValueList cannot be used together for Attribute: leaseOwner")
	wantInvalid(t, compared(types.ExpectedAttributeValue{ComparisonOperator: "NULL", Exists: aws.Bool(false)}), "Exists and ComparisonOperator cannot be used together for Attribute: leaseOwner")
	for _, tc := range []struct {
		op    types.ComparisonOperator
		name  string
		value []attr
		want  bool
	}{
		{"EQ", "leaseCounter", []attr{num("1.0")}, true}, {"NE", "leaseCounter", []attr{num("1")}, false}, {"LT", "leaseCounter", []attr{num("2")}, true},
		{"BETWEEN", "leaseCounter", []attr{num("0"), num("2")}, true}, {"IN", "leaseCounter", []attr{num("7"), num("1")}, true},
		{"NULL", "leaseOwner", nil, false}, {"NOT_NULL", "leaseOwner", nil, true}, {"BEGINS_WITH", "leaseOwner", []attr{str("w")}, true},
		{"CONTAINS", "parents", []attr{str("p")}, true}, {"NOT_CONTAINS", "parents", []attr{str("p")}, false},
	} {
		out, err := c.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table, ScanFilter: map[string]types.Condition{tc.name: {ComparisonOperator: tc.op, AttributeValueList: tc.value}}})
		if err != nil || (out.Count == 1) != tc.want {
			t.Errorf("%s %s: got %v, %v, want %v", tc.name, tc.op, out, err, tc.want)
		}
	}
	out, err := c.Query(t.Context(), &dynamodb.QueryInput{TableName: &table, KeyConditions: map[string]types.Condition{"id": {ComparisonOperator: "EQ", AttributeValueList: []attr{str("shard")}}}})
	if err != nil || out.Count != 1 {
		t.Errorf("query: got %v, %v", out, err)
	}
	if _, err := c.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
		TableName: &table, Key: key, Expected: map[string]types.ExpectedAttributeValue{"leaseOwner": {Value: str("w1")}},
	}); err != nil {
		t.Error(err)
	}
}
