package dynamodb_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// benchItem is a message as the consumer stores it.
func benchItem(i int) string {
	return fmt.Sprintf(`{"id":{"S":"shardId-000000000001:%020d:0"},"meta":{"S":"{\"foo\":\"bar\",\"record\":%d}"},"shard":{"S":"shardId-000000000001"}}`, i, i)
}

func BenchmarkService_BatchWriteItem(b *testing.B) {
	const batch = 25
	s := newService(b, time.Now)
	n := 0
	for b.Loop() {
		entries := make([]string, batch)
		for i := range entries {
			entries[i] = `{"PutRequest":{"Item":` + benchItem(n) + `}}`
			n++
		}
		r := &wire.Request{Operation: "BatchWriteItem", Body: []byte(`{"RequestItems":{"test":[` + strings.Join(entries, ",") + `]}}`)}
		if _, err := s.call(r); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "items/s")
}

func BenchmarkService_UpdateItem(b *testing.B) {
	s := newService(b, time.Now)
	s.must("PutItem", `{"TableName":"test","Item":{"id":{"S":"w"},"counter":{"N":"0"}}}`)
	for n := 0; b.Loop(); n++ {
		body := fmt.Sprintf(`{"TableName":"test","Key":{"id":{"S":"w"}},"UpdateExpression":"SET #c = :new","ConditionExpression":"#c = :old",
			"ExpressionAttributeNames":{"#c":"counter"},"ExpressionAttributeValues":{":old":{"N":"%d"},":new":{"N":"%d"}}}`, n, n+1)
		if _, err := s.call(&wire.Request{Operation: "UpdateItem", Body: []byte(body)}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkService_GetItem(b *testing.B) {
	s := newService(b, time.Now)
	for i := range 10_000 {
		s.must("PutItem", `{"TableName":"test","Item":`+benchItem(i)+`}`)
	}
	for n := 0; b.Loop(); n++ {
		body := fmt.Sprintf(`{"TableName":"test","Key":{"id":{"S":"shardId-000000000001:%020d:0"}}}`, n%10_000)
		if _, err := s.call(&wire.Request{Operation: "GetItem", Body: []byte(body)}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkService_Scan(b *testing.B) {
	s := newService(b, time.Now)
	for i := range 5_000 {
		s.must("PutItem", `{"TableName":"test","Item":`+benchItem(i)+`}`)
	}
	for b.Loop() {
		if _, err := s.call(&wire.Request{Operation: "Scan", Body: []byte(`{"TableName":"test"}`)}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(5_000*b.N)/b.Elapsed().Seconds(), "items/s")
}
