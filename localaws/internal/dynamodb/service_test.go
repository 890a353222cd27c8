package dynamodb_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/dynamodb"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// service is a Service whose operations are called with JSON.
type service struct {
	testing.TB
	*dynamodb.Service
}

func newService(t testing.TB, now func() time.Time) service {
	s := service{t, dynamodb.New(dynamodb.Options{Now: now})}
	s.must("CreateTable", `{"TableName":"test","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],
		"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}`)
	return s
}

// call runs an operation and returns the answer's JSON.
func (s service) call(r *wire.Request) (string, error) {
	r.Encoding = wire.JSON10
	answer, err := s.Serve(s.Context(), r)
	if err != nil {
		return "", err
	}
	if a, ok := answer.(wire.Appender); ok {
		return string(a.AppendJSON(nil)), nil
	}
	out, err := json.Marshal(answer)
	return string(out), err
}

func (s service) must(operation, body string) string {
	s.Helper()
	out, err := s.call(&wire.Request{Operation: operation, Body: []byte(body)})
	if err != nil {
		s.Fatalf("%s: %v", operation, err)
	}
	return out
}

func code(err error) string {
	if e, ok := errors.AsType[*wire.Error](err); ok {
		return e.Code
	}
	return ""
}

func TestService_TimeToLive(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	s := newService(t, func() time.Time { return now })
	put := func(id string, expires int64) {
		s.must("PutItem", fmt.Sprintf(`{"TableName":"test","Item":{"id":{"S":%q},"ttl":{"N":"%d"}}}`, id, expires))
	}
	left := func() string {
		out := s.must("Scan", `{"TableName":"test","Select":"COUNT"}`)
		return out[strings.Index(out, ":")+1 : strings.Index(out, ",")]
	}
	put("before", now.Unix()+10) // there before it is turned on
	s.must("UpdateTimeToLive", `{"TableName":"test","TimeToLiveSpecification":{"AttributeName":"ttl","Enabled":true}}`)
	put("soon", now.Unix()+10)
	put("renewed", now.Unix()+10)
	put("later", now.Unix()+100)
	put("a mistake", now.Unix()-6*365*24*3600)
	s.must("PutItem", `{"TableName":"test","Item":{"id":{"S":"text"},"ttl":{"S":"1"}}}`)
	put("renewed", now.Unix()+50)
	for _, step := range []struct {
		after time.Duration
		want  string
	}{{0, "6"}, {10 * time.Second, "6"}, {time.Second, "4"}, {40 * time.Second, "3"}, {100 * time.Second, "2"}} {
		now = now.Add(step.after)
		if got := left(); got != step.want {
			t.Errorf("%s on: %s items, want %s", step.after, got, step.want)
		}
	}
	s.must("UpdateTimeToLive", `{"TableName":"test","TimeToLiveSpecification":{"AttributeName":"ttl","Enabled":false}}`)
	put("soon", now.Unix()+1)
	now = now.Add(time.Hour)
	if got := left(); got != "3" {
		t.Errorf("turned off: %s items, want 3", got)
	}
}

func TestService_Usage(t *testing.T) {
	s := newService(t, time.Now)
	for _, tc := range []struct {
		operation, body string
		want            wire.Usage
		table           wire.TableUsage
	}{
		{"PutItem", `{"TableName":"test","Item":{"id":{"S":"a"}}}`, wire.Usage{WriteUnits: 1, Records: 1, Bytes: 3}, wire.TableUsage{Puts: 1}},
		{"PutItem", `{"TableName":"test","Item":{"id":{"S":"a"},"n":{"N":"1"}}}`, wire.Usage{WriteUnits: 1, Records: 1, Bytes: 6}, wire.TableUsage{Puts: 1, Overwrites: 1}},
		{"PutItem", `{"TableName":"test","Item":{"id":{"S":"a"}},"ConditionExpression":"attribute_not_exists(id)"}`, wire.Usage{WriteUnits: 1}, wire.TableUsage{}},
		{"UpdateItem", `{"TableName":"test","Key":{"id":{"S":"a"}},"UpdateExpression":"REMOVE n"}`, wire.Usage{WriteUnits: 1, Records: 1, Bytes: 6}, wire.TableUsage{}},
		{"GetItem", `{"TableName":"test","Key":{"id":{"S":"a"}}}`, wire.Usage{ReadUnits: 0.5, Records: 1, Bytes: 3}, wire.TableUsage{}},
		{"Scan", `{"TableName":"test","ConsistentRead":true}`, wire.Usage{ReadUnits: 1, Records: 1, Bytes: 3}, wire.TableUsage{}},
		{"BatchWriteItem", `{"RequestItems":{"test":[{"PutRequest":{"Item":{"id":{"S":"a"}}}},{"PutRequest":{"Item":{"id":{"S":"b"}}}}]}}`,
			wire.Usage{WriteUnits: 2, Records: 2, Bytes: 6}, wire.TableUsage{Puts: 2, Overwrites: 1}},
		{"TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"test","Item":{"id":{"S":"c"}}}},{"Delete":{"TableName":"test","Key":{"id":{"S":"b"}}}}]}`,
			wire.Usage{WriteUnits: 4, Records: 2, Bytes: 6}, wire.TableUsage{Puts: 1, Deletes: 1}},
		{"DeleteItem", `{"TableName":"test","Key":{"id":{"S":"a"}}}`, wire.Usage{WriteUnits: 1, Records: 1, Bytes: 3}, wire.TableUsage{Deletes: 1}},
		{"DeleteItem", `{"TableName":"test","Key":{"id":{"S":"a"}}}`, wire.Usage{WriteUnits: 1, Records: 1}, wire.TableUsage{}},
	} {
		r := &wire.Request{Operation: tc.operation, Body: []byte(tc.body)}
		_, _ = s.call(r) // the third one fails, which costs as well
		got := r.Usage
		if table := got.Tables["test"]; table != tc.table {
			t.Errorf("%s: counted %+v, want %+v", tc.operation, table, tc.table)
		}
		got.Tables = nil
		if fmt.Sprint(got) != fmt.Sprint(tc.want) {
			t.Errorf("%s: used %+v, want %+v", tc.operation, got, tc.want)
		}
	}
}

func TestService_PartialBatch(t *testing.T) {
	s := newService(t, time.Now)
	calls := 0
	r := &wire.Request{Operation: "BatchWriteItem", Body: []byte(`{"RequestItems":{"test":[{"PutRequest":{"Item":{"id":{"S":"a"}}}},{"DeleteRequest":{"Key":{"id":{"S":"b"}}}},{"PutRequest":{"Item":{"id":{"S":"c"}}}}]}}`)}
	r.FailEntry = func() *wire.Error {
		if calls++; calls == 3 {
			return nil
		}
		return wire.Errorf("ProvisionedThroughputExceededException", "too fast")
	}
	out, err := s.call(r)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"UnprocessedItems":{"test":[{"PutRequest":{"Item":{"id":{"S":"a"}}}},{"DeleteRequest":{"Key":{"id":{"S":"b"}}}}]}}`
	if out != want {
		t.Errorf("got %s, want %s", out, want)
	}
	if got := s.must("Scan", `{"TableName":"test"}`); got != `{"Items":[{"id":{"S":"c"}}],"Count":1,"ScannedCount":1}` {
		t.Errorf("the table holds %s", got)
	}
	r.FailEntry = func() *wire.Error { return wire.Errorf("ProvisionedThroughputExceededException", "too fast") }
	if _, err := s.call(r); code(err) != "ProvisionedThroughputExceededException" {
		t.Errorf("nothing processed: got %v", err)
	}
}

// TestService_Concurrent counts by conditional updates and by transactions
// from several goroutines at once; none may be lost.
func TestService_Concurrent(t *testing.T) {
	const workers, each = 8, 50
	s := newService(t, time.Now)
	s.must("PutItem", `{"TableName":"test","Item":{"id":{"S":"n"},"n":{"N":"0"}}}`)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			seen := 0 // never above the counter, which only grows
			for range each {
				for ; ; seen++ {
					body := fmt.Sprintf(`{"TableName":"test","Key":{"id":{"S":"n"}},"UpdateExpression":"ADD n :one","ConditionExpression":"n = :seen",
						"ExpressionAttributeValues":{":one":{"N":"1"},":seen":{"N":"%d"}}}`, seen)
					if _, err := s.call(&wire.Request{Operation: "UpdateItem", Body: []byte(body)}); err == nil {
						break
					}
				}
				_, err := s.call(&wire.Request{Operation: "TransactWriteItems", Body: []byte(`{"TransactItems":[{"Update":{"TableName":"test","Key":{"id":{"S":"t"}},
					"UpdateExpression":"ADD n :one","ExpressionAttributeValues":{":one":{"N":"1"}}}}]}`)})
				if err != nil {
					t.Error(err)
				}
				s.must("Scan", `{"TableName":"test"}`)
			}
		})
	}
	wg.Wait()
	for _, id := range []string{"n", "t"} {
		want := fmt.Sprintf(`{"Item":{"n":{"N":"%d"}}}`, workers*each)
		if got := s.must("GetItem", `{"TableName":"test","Key":{"id":{"S":"`+id+`"}},"ProjectionExpression":"n"}`); got != want {
			t.Errorf("%s: got %s, want %s", id, got, want)
		}
	}
}

func TestService_TransactionToken(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	s := newService(t, func() time.Time { return now })
	run := func(amount int) error {
		body := fmt.Sprintf(`{"ClientRequestToken":"t","TransactItems":[{"Update":{"TableName":"test","Key":{"id":{"S":"t"}},"UpdateExpression":"ADD n :n",
			"ConditionExpression":"attribute_not_exists(closed)","ExpressionAttributeValues":{":n":{"N":"%d"}}}}]}`, amount)
		_, err := s.call(&wire.Request{Operation: "TransactWriteItems", Body: []byte(body)})
		return err
	}
	s.must("PutItem", `{"TableName":"test","Item":{"id":{"S":"t"},"closed":{"BOOL":true}}}`)
	if got := code(run(1)); got != "TransactionCanceledException" {
		t.Errorf("a failed condition: got %q", got)
	}
	s.must("PutItem", `{"TableName":"test","Item":{"id":{"S":"t"}}}`)
	for _, step := range []struct {
		after  time.Duration
		amount int
		code   string
		want   string
	}{
		{0, 1, "", "1"}, // the canceled one may be tried again
		{9 * time.Minute, 1, "", "1"},
		{0, 2, "IdempotentParameterMismatchException", "1"},
		{2 * time.Minute, 2, "", "3"}, // forgotten by then
	} {
		now = now.Add(step.after)
		if got := code(run(step.amount)); got != step.code {
			t.Errorf("adding %d: got %q, want %q", step.amount, got, step.code)
		}
		if got := s.must("GetItem", `{"TableName":"test","Key":{"id":{"S":"t"}},"ProjectionExpression":"n"}`); got != `{"Item":{"n":{"N":"`+step.want+`"}}}` {
			t.Errorf("adding %d: got %s, want %s", step.amount, got, step.want)
		}
	}
}

func TestService_Resource(t *testing.T) {
	s := newService(t, time.Now)
	for body, want := range map[string]string{
		`{"TableName":"a"}`: "a", `{"TableName":"arn:aws:dynamodb:us-east-1:000000000000:table/a"}`: "a", `{"RequestItems":{"b":[]}}`: "b",
		`{"TransactItems":[{"Put":{"TableName":"c"}}]}`: "c", `{`: "", `{}`: "",
	} {
		if got, _ := s.Resource(&wire.Request{Body: []byte(body)}); got != want {
			t.Errorf("%s is about %q, want %q", body, got, want)
		}
	}
}

func TestService_Reset(t *testing.T) {
	s := newService(t, time.Now)
	s.Reset()
	_, err := s.call(&wire.Request{Operation: "DescribeTable", Body: []byte(`{"TableName":"test"}`)})
	if code(err) != "ResourceNotFoundException" {
		t.Errorf("got %v", err)
	}
	_, err = s.call(&wire.Request{Operation: "NoSuchThing"})
	if code(err) != "UnknownOperationException" {
		t.Errorf("got %v", err)
	}
}
