package kinesis_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/kinesis"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// putBody is a PutRecords request to the stream test, as an SDK writes it.
func putBody(records, size int) []byte {
	raw := make([]byte, size)
	for i := range min(size, 1000) {
		raw[i] = byte(i * 31)
	}
	data := base64.StdEncoding.EncodeToString(raw)
	var b bytes.Buffer
	b.WriteString(`{"Records":[`)
	for i := range records {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"Data":"%s","PartitionKey":"%08x-0000-4000-8000-%012x"}`, data, i*2654435761, i)
	}
	b.WriteString(`],"StreamName":"test"}`)
	return b.Bytes()
}

func newService(now func() time.Time) *kinesis.Service {
	return kinesis.New(kinesis.Options{Now: now, Tuning: kinesis.DefaultTuning()})
}

// BenchmarkPutRecords measures decoding, storing and encoding the answer of 500
// records of 200 bytes.
func BenchmarkPutRecords(b *testing.B) {
	for _, encoding := range []wire.Encoding{wire.JSON11} {
		b.Run(string(encoding), func(b *testing.B) {
			s := newService(time.Now)
			call(b, s, "CreateStream", `{"StreamName":"test","ShardCount":3}`)
			body := putBody(500, 200)
			out := make([]byte, 0, 1<<20)
			b.SetBytes(500 * 200)
			b.ReportAllocs()
			for b.Loop() {
				answer, err := s.Serve(b.Context(), &wire.Request{Operation: "PutRecords", Body: body, Encoding: encoding})
				if err != nil {
					b.Fatal(err)
				}
				out = answer.(wire.Appender).AppendJSON(out[:0])
			}
			b.ReportMetric(float64(b.N)*500/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// BenchmarkGetRecords measures a read of 10,000 records of 200 bytes.
func BenchmarkGetRecords(b *testing.B) {
	s := newService(time.Now)
	call(b, s, "CreateStream", `{"StreamName":"test","ShardCount":1}`)
	body := putBody(500, 200)
	for range 20 {
		if _, err := s.Serve(b.Context(), &wire.Request{Operation: "PutRecords", Body: body, Encoding: wire.JSON11}); err != nil {
			b.Fatal(err)
		}
	}
	it := call(b, s, "GetShardIterator", `{"StreamName":"test","ShardId":"shardId-000000000000","ShardIteratorType":"TRIM_HORIZON"}`)
	in := fmt.Appendf(nil, `{"ShardIterator":%q}`, it["ShardIterator"])
	for _, encoding := range []wire.Encoding{wire.JSON11, wire.CBOR} {
		b.Run(string(encoding), func(b *testing.B) {
			out := make([]byte, 0, 8<<20)
			b.SetBytes(10000 * 200)
			b.ReportAllocs()
			for b.Loop() {
				answer, err := s.Serve(b.Context(), &wire.Request{Operation: "GetRecords", Body: in, Encoding: wire.JSON11})
				if err != nil {
					b.Fatal(err)
				}
				if encoding == wire.CBOR {
					out = answer.(wire.Appender).AppendCBOR(out[:0])
				} else {
					out = answer.(wire.Appender).AppendJSON(out[:0])
				}
			}
			b.ReportMetric(float64(b.N)*10000/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// call makes a call that must succeed and returns its answer as JSON.
func call(t testing.TB, s *kinesis.Service, operation, body string) map[string]any {
	t.Helper()
	out, err := try(t, s, operation, body)
	if err != nil {
		t.Fatalf("%s %s: %v", operation, body, err)
	}
	return out
}

func try(t testing.TB, s *kinesis.Service, operation, body string) (map[string]any, error) {
	t.Helper()
	answer, err := s.Serve(t.Context(), &wire.Request{Operation: operation, Body: []byte(body), Encoding: wire.JSON11, Region: "us-east-1"})
	if err != nil || answer == nil {
		return nil, err
	}
	raw, err := json.Marshal(answer)
	if a, ok := answer.(wire.Appender); ok {
		raw = a.AppendJSON(nil)
	} else if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatalf("%s answers %s: %v", operation, raw, err)
	}
	return out, nil
}
