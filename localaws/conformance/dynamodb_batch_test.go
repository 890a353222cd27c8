package conformance_test

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/server"
)

func putRequest(i item) types.WriteRequest {
	return types.WriteRequest{PutRequest: &types.PutRequest{Item: i}}
}

func deleteRequest(id string) types.WriteRequest {
	return types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: item{"id": str(id)}}}
}

func TestDynamoDB_BatchWriteItem(t *testing.T) {
	t.Parallel()
	c := newDynamoDB(t)
	one, two := newTable(t, c, ""), newTable(t, c, "")
	putItems(t, c, one, item{"id": str("old")})
	batch := func(requests map[string][]types.WriteRequest) error {
		out, err := c.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: requests})
		if err == nil && len(out.UnprocessedItems) > 0 {
			t.Errorf("unprocessed: %v", out.UnprocessedItems)
		}
		return err
	}
	var many []types.WriteRequest
	for i := range 26 {
		many = append(many, putRequest(item{"id": str(itoa(i)), "n": num(itoa(i))}))
	}
	if err := batch(map[string][]types.WriteRequest{one: append(many[:23:23], deleteRequest("old")), two: many[:1]}); err != nil {
		t.Fatal(err)
	}
	if getItem(t, c, one, item{"id": str("old")}) != nil {
		t.Error("the batch did not delete")
	}
	wantItem(t, getItem(t, c, one, item{"id": str("22")}), item{"id": str("22"), "n": num("22")})
	wantItem(t, getItem(t, c, two, item{"id": str("0")}), item{"id": str("0"), "n": num("0")})
	for name, requests := range map[string]map[string][]types.WriteRequest{
		"too many":   {one: many},
		"duplicates": {one: {putRequest(item{"id": str("x")}), deleteRequest("x")}},
		"empty list": {one: {}},
		"empty":      {},
		"wrong key":  {one: {putRequest(item{"id": num("1")})}},
		"both":       {one: {{PutRequest: &types.PutRequest{Item: item{"id": str("x")}}, DeleteRequest: &types.DeleteRequest{Key: item{"id": str("x")}}}}},
	} {
		if name == "both" && isServer(dynalite) {
			continue // it carries the put out
		}
		t.Run(name, func(t *testing.T) { wantInvalid(t, batch(requests)) })
	}
	err := batch(map[string][]types.WriteRequest{"no-such-table": {deleteRequest("x")}})
	wantCode(t, err, "ResourceNotFoundException")
}

func TestDynamoDB_BatchGetItem(t *testing.T) {
	t.Parallel()
	c := newDynamoDB(t)
	table := newTable(t, c, "")
	var keys []item
	for i := range 101 {
		keys = append(keys, item{"id": str(itoa(i))})
		if i < 50 {
			putItems(t, c, table, item{"id": str(itoa(i)), "n": num(itoa(i)), "x": str("x")})
		}
	}
	batch := func(k types.KeysAndAttributes) (*dynamodb.BatchGetItemOutput, error) {
		return c.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{table: k}})
	}
	out, err := batch(types.KeysAndAttributes{Keys: keys[:100], ProjectionExpression: aws.String("#n"), ExpressionAttributeNames: map[string]string{"#n": "n"}})
	if err != nil || len(out.Responses[table]) != 50 || len(out.UnprocessedKeys) != 0 {
		t.Fatalf("got %d items, %v unprocessed, %v", len(out.Responses[table]), out.UnprocessedKeys, err)
	}
	if first := out.Responses[table][0]; len(first) != 1 || first["n"] == nil {
		t.Errorf("got %s, want the number only", show(first))
	}
	_, err = batch(types.KeysAndAttributes{Keys: keys})
	wantInvalid(t, err)
	_, err = batch(types.KeysAndAttributes{Keys: []item{keys[0], keys[0]}})
	wantInvalid(t, err, "Provided list of item keys contains duplicates")
}

func TestDynamoDB_Transactions(t *testing.T) {
	t.Parallel()
	knownFault(t, dynalite, "it has no transactions")
	c := newDynamoDB(t)
	one, two := newTable(t, c, ""), newTable(t, c, "")
	putItems(t, c, one, item{"id": str("a"), "n": num("1")}, item{"id": str("d")}, item{"id": str("c"), "n": num("7")})
	write := func(token string, items ...types.TransactWriteItem) error {
		in := &dynamodb.TransactWriteItemsInput{TransactItems: items}
		if token != "" {
			in.ClientRequestToken = &token
		}
		_, err := c.TransactWriteItems(t.Context(), in)
		return err
	}
	key := func(id string) item { return item{"id": str(id)} }
	update := types.TransactWriteItem{Update: &types.Update{
		TableName: &one, Key: key("a"), UpdateExpression: aws.String("ADD n :n"), ExpressionAttributeValues: item{":n": num("1")},
	}}
	put := types.TransactWriteItem{Put: &types.Put{TableName: &two, Item: item{"id": str("p")}, ConditionExpression: aws.String("attribute_not_exists(id)")}}
	del := types.TransactWriteItem{Delete: &types.Delete{TableName: &one, Key: key("d")}}
	check := func(id string) types.TransactWriteItem {
		return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
			TableName: &one, Key: key(id), ConditionExpression: aws.String("attribute_not_exists(id)"),
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		}}
	}
	token := uniqueName("t")
	for range 2 { // the second is the same call again, and does nothing
		if err := write(token, update, put, del, check("x")); err != nil {
			t.Fatal(err)
		}
	}
	wantItem(t, getItem(t, c, one, key("a")), item{"id": str("a"), "n": num("2")})
	wantItem(t, getItem(t, c, two, key("p")), key("p"))
	if getItem(t, c, one, key("d")) != nil {
		t.Error("the transaction did not delete")
	}
	wantCode(t, write(token, update), "IdempotentParameterMismatchException")

	err := write("", update, put, check("c"))
	var canceled *types.TransactionCanceledException
	if !errors.As(err, &canceled) || len(canceled.CancellationReasons) != 3 {
		t.Fatalf("got %v, want a canceled transaction with three reasons", err)
	}
	for i, want := range []string{"None", "ConditionalCheckFailed", "ConditionalCheckFailed"} {
		if got := aws.ToString(canceled.CancellationReasons[i].Code); got != want {
			t.Errorf("reason %d is %s, want %s", i, got, want)
		}
	}
	wantItem(t, canceled.CancellationReasons[2].Item, item{"id": str("c"), "n": num("7")})
	wantItem(t, getItem(t, c, one, key("a")), item{"id": str("a"), "n": num("2")})
	if !isServer(dynamoDBLocal) { // it cancels the transaction instead
		wantInvalid(t, write("", update, check("a")), "Transaction request cannot include multiple operations on one item")
	}

	out, err := c.TransactGetItems(t.Context(), &dynamodb.TransactGetItemsInput{TransactItems: []types.TransactGetItem{
		{Get: &types.Get{TableName: &one, Key: key("a"), ProjectionExpression: aws.String("n")}},
		{Get: &types.Get{TableName: &two, Key: key("none")}}, {Get: &types.Get{TableName: &two, Key: key("p")}},
	}})
	if err != nil || len(out.Responses) != 3 {
		t.Fatalf("got %v, %v", out, err)
	}
	wantItem(t, out.Responses[0].Item, item{"n": num("2")})
	wantItem(t, out.Responses[2].Item, key("p"))
	if out.Responses[1].Item != nil {
		t.Errorf("got %s for a key that is not there", show(out.Responses[1].Item))
	}
}

func TestDynamoDB_ConsumedCapacity(t *testing.T) {
	t.Parallel()
	c := newDynamoDB(t)
	table := newTable(t, c, "")
	total := types.ReturnConsumedCapacityTotal
	units := func(out *types.ConsumedCapacity, err error) float64 {
		t.Helper()
		if err != nil || out == nil {
			t.Errorf("got %v, %v", out, err)
			return 0
		}
		return *out.CapacityUnits
	}
	putting := func(bytes int) float64 {
		out, err := c.PutItem(t.Context(), &dynamodb.PutItemInput{
			TableName: &table, Item: item{"id": str("a"), "t": str(strings.Repeat("x", bytes-4))}, ReturnConsumedCapacity: total,
		})
		return units(out.ConsumedCapacity, err)
	}
	getting := func(id string, consistent bool) float64 {
		out, err := c.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: &table, Key: item{"id": str(id)}, ConsistentRead: &consistent, ReturnConsumedCapacity: total})
		return units(out.ConsumedCapacity, err)
	}
	for _, tc := range []struct {
		what      string
		got, want float64
	}{
		{"put 1 KB", putting(1024), 1},
		{"put 1 KB and a byte", putting(1025), 2},
		{"put less over more", putting(10), 2},
		{"get 10 bytes", getting("a", true), 1},
		{"get nothing", getting("none", true), 1},
		{"get nothing, eventually", getting("none", false), 0.5},
		{"put 4 KB", putting(4096), 4},
		{"get 4 KB", getting("a", true), 1},
		{"put 4 KB and a byte", putting(4097), 5},
		{"get 4 KB and a byte", getting("a", true), 2},
		{"get 4 KB and a byte, eventually", getting("a", false), 1},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %v units, want %v", tc.what, tc.got, tc.want)
		}
	}
	scan, err := c.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table, ReturnConsumedCapacity: total, ConsistentRead: aws.Bool(true)})
	if got := units(scan.ConsumedCapacity, err); got != 2 && !isServer(dynalite) { // which charges a scan too little
		t.Errorf("scan: %v units, want 2", got)
	}
	del, err := c.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &table, Key: item{"id": str("a")}, ReturnConsumedCapacity: total})
	if got := units(del.ConsumedCapacity, err); got != 5 {
		t.Errorf("delete: %v units, want 5", got)
	}
	if isServer(dynalite) {
		return // it has no transactions
	}
	tx, err := c.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{ReturnConsumedCapacity: total, TransactItems: []types.TransactWriteItem{
		{Put: &types.Put{TableName: &table, Item: item{"id": str("a"), "t": str(strings.Repeat("x", 1500))}}}, {Put: &types.Put{TableName: &table, Item: item{"id": str("b")}}},
	}})
	if err != nil || len(tx.ConsumedCapacity) != 1 {
		t.Fatalf("got %v, %v", tx, err)
	}
	if got := units(&tx.ConsumedCapacity[0], nil); got != 6 {
		t.Errorf("transaction: %v units, want 6", got)
	}
}

// TestDynamoDB_Checksum looks at what only the wire shows.
func TestDynamoDB_Checksum(t *testing.T) {
	t.Parallel()
	endpoint := os.Getenv(dynamoEndpoint)
	if endpoint == "" {
		s := server.New(server.Options{})
		var err error
		if endpoint, err = s.Start("127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
	}
	for _, operation := range []string{"ListTables", "DescribeTable", "NoSuchOperation"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-amz-json-1.0")
		r.Header.Set("X-Amz-Date", "20260101T000000Z")
		r.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=x")
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if isServer(dynamoDBLocal) && operation != "ListTables" {
			continue // it has no checksum on errors
		}
		if want, got := strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10), resp.Header.Get("X-Amz-Crc32"); got != want {
			t.Errorf("%s: checksum %q, want %q", operation, got, want)
		}
		if status := fmt.Sprint(resp.StatusCode); (operation == "ListTables") != (status == "200") {
			t.Errorf("%s: status %s", operation, status)
		}
	}
}
