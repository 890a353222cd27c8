package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/cbor"
)

// server is a Kinesis of canned answers, a DynamoDB that takes everything at
// once, and a leasekeeper that grants every shard. It runs in a process of its
// own, so that its work is not counted.
type server struct {
	w        workload
	items    atomic.Int64
	json     canned
	cbor     canned
	messages int // in a full answer
}

// canned is an answer to GetRecords, but for the next iterator in it.
type canned struct{ prefix, suffix []byte }

// answerBytes is the size of data in an answer.
const answerBytes = 2 << 20

func newServer(w workload) *server {
	s := &server{w: w}
	s.messages = max(1, min(10_000, answerBytes/w.Size, w.PerShard))
	s.json, s.cbor = inJSON(w, s.messages), inCBOR(w, s.messages)
	return s
}

func inJSON(w workload, messages int) canned {
	var b bytes.Buffer
	b.WriteString(`","Records":[`)
	for i := range messages {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"ApproximateArrivalTimestamp":%.3f,"Data":"%s","PartitionKey":"%s","SequenceNumber":"%s"}`,
			float64(time.Now().UnixMilli())/1000, base64.StdEncoding.EncodeToString(payload(i, w.Size)), uuidLike(i), sequence(i))
	}
	b.WriteString(`]}`)
	return canned{[]byte(`{"MillisBehindLatest":1000,"NextShardIterator":"`), b.Bytes()}
}

// inCBOR is the same answer as Kinesis gives it to a caller who asks in CBOR.
func inCBOR(w workload, messages int) canned {
	b := cbor.AppendArray(cbor.AppendText(nil, "Records"), messages)
	for i := range messages {
		b = cbor.AppendTime(cbor.AppendText(cbor.AppendMap(b), "ApproximateArrivalTimestamp"), time.Now())
		b = cbor.AppendBytes(cbor.AppendText(b, "Data"), payload(i, w.Size))
		b = cbor.AppendText(cbor.AppendText(b, "PartitionKey"), uuidLike(i))
		b = cbor.AppendEnd(cbor.AppendText(cbor.AppendText(b, "SequenceNumber"), sequence(i)))
	}
	head := cbor.AppendText(cbor.AppendMap(nil), "MillisBehindLatest")
	head = cbor.AppendText(cbor.AppendInt(head, 1000), "NextShardIterator")
	return canned{head, cbor.AppendEnd(b)}
}

func sequence(i int) string { return fmt.Sprintf("4967%052d", i) }

func uuidLike(i int) string {
	return fmt.Sprintf("%08x-1b4e-4c2a-9d3f-%012x", uint32(i)*2654435761, i)
}

// payload is JSON of size bytes.
func payload(i, size int) []byte {
	head := fmt.Sprintf(`{"foo":"bar","record":%d,"fill":"`, i)
	return []byte(head + strings.Repeat("x", max(0, size-len(head)-2)) + `"}`)
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if r.URL.Path == "/v1/sync" {
		s.sync(w, r, body)
		return
	}
	if r.URL.Path == "/items" {
		_, _ = fmt.Fprint(w, s.items.Load())
		return
	}
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	switch operation {
	case "GetShardIterator":
		var in struct{ ShardId string }
		_ = json.Unmarshal(body, &in)
		_, _ = fmt.Fprintf(w, `{"ShardIterator":"%s:0"}`, in.ShardId)
	case "GetRecords":
		s.records(w, body, strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-amz-cbor"))
	case "DescribeTable":
		dynamo(w, `{"Table":{"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}}`)
	case "BatchWriteItem":
		s.items.Add(int64(bytes.Count(body, []byte(`"PutRequest"`))))
		dynamo(w, `{"UnprocessedItems":{}}`)
	default:
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"UnknownOperationException"}`)
	}
}

// dynamo answers as DynamoDB does, with a checksum.
func dynamo(w http.ResponseWriter, answer string) {
	w.Header().Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(answer))), 10))
	_, _ = io.WriteString(w, answer)
}

// records answers in the encoding of the request, as Kinesis does.
func (s *server) records(w http.ResponseWriter, body []byte, binary bool) {
	shard, offset, _ := strings.Cut(iterator(body, binary), ":")
	n, _ := strconv.Atoi(offset)
	next, answer := shard+":"+strconv.Itoa(n+s.messages), s.json
	switch {
	case n >= s.w.PerShard && binary:
		empty := cbor.AppendArray(cbor.AppendText(nil, "Records"), 0)
		next, answer = shard+":"+offset, canned{s.cbor.prefix, cbor.AppendEnd(empty)}
	case n >= s.w.PerShard:
		next, answer = shard+":"+offset, canned{s.json.prefix, []byte(`","Records":[]}`)}
	case binary:
		answer = s.cbor
	}
	if binary {
		w.Header().Set("Content-Type", "application/x-amz-cbor-1.1")
		next = string(cbor.AppendText(nil, next))
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(answer.prefix)+len(next)+len(answer.suffix)))
	_, _ = w.Write(answer.prefix)
	_, _ = io.WriteString(w, next)
	_, _ = w.Write(answer.suffix)
}

// iterator returns the iterator of a request, the first text in it in CBOR.
func iterator(body []byte, binary bool) (it string) {
	if binary {
		d := cbor.New(body)
		d.Map(func([]byte) bool {
			text, ok := d.Text()
			it = string(text)
			return ok
		})
		return it
	}
	var in struct{ ShardIterator string }
	_ = json.Unmarshal(body, &in)
	return in.ShardIterator
}

func (s *server) sync(w http.ResponseWriter, r *http.Request, body []byte) {
	var in struct {
		Revision int64
		WaitMS   int64 `json:"wait_ms"`
		Draining bool
	}
	_ = json.Unmarshal(body, &in)
	if in.Draining {
		_, _ = io.WriteString(w, `{"version":"bench","worker":"bench","revision":2,"ttl_ms":60000,"grants":[]}`)
		return
	}
	if in.Revision > 0 {
		select {
		case <-r.Context().Done():
			return
		case <-time.After(time.Duration(in.WaitMS) * time.Millisecond):
		}
	}
	type start struct {
		Type string `json:"type"`
	}
	type grant struct {
		Stream     string `json:"stream"`
		Shard      string `json:"shard"`
		Generation int    `json:"generation"`
		Start      start  `json:"start"`
	}
	grants := make([]grant, s.w.Shards)
	for i := range grants {
		grants[i] = grant{"bench", shardID(i), 1, start{"TRIM_HORIZON"}}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"version": "bench", "worker": "bench", "revision": 1, "ttl_ms": 60000, "grants": grants})
}

func shardID(i int) string { return fmt.Sprintf("shardId-%012d", i) }

// serve serves until standard input is closed.
func serve(w workload) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // ends with the process
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	fmt.Println("http://" + listener.Addr().String())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	return (&http.Server{Handler: newServer(w), ReadHeaderTimeout: time.Second}).Serve(listener)
}
