package kinesis_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// TestPutRecords_EveryFormOfJSON puts generated records as compact JSON, which
// is read the fast way, and as JSON with escapes, spaces and unknown members,
// which is not, and expects the same records back.
func TestPutRecords_EveryFormOfJSON(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		type entry struct {
			Data            []byte
			PartitionKey    string
			ExplicitHashKey string `json:",omitempty"`
		}
		entries := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) entry {
			return entry{
				Data:            rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "data"),
				PartitionKey:    rapid.StringN(1, 20, -1).Filter(utf8.ValidString).Draw(t, "key"),
				ExplicitHashKey: rapid.SampledFrom([]string{"", "0", "99999999999999999999999999999999999999"}).Draw(t, "hash"),
			}
		}), 1, 10).Draw(rt, "entries")
		raw, err := json.Marshal(map[string]any{"StreamName": "test", "Records": entries})
		if err != nil {
			rt.Fatal(err)
		}
		spaced, err := json.MarshalIndent(map[string]any{"StreamName": "test", "Records": entries, "Unknown": 1}, " ", "\t")
		if err != nil {
			rt.Fatal(err)
		}
		escaped := strings.Replace(string(raw), `"PartitionKey"`, `"Partition\u004bey"`, 1)
		for _, body := range []string{string(raw), string(spaced), escaped} {
			s := newService(newClock().Now)
			call(t, s, "CreateStream", `{"StreamName":"test","ShardCount":1}`)
			call(t, s, "PutRecords", body)
			it := call(t, s, "GetShardIterator", iteratorBody("TRIM_HORIZON", ""))["ShardIterator"]
			got := getRecords(t, s, it)["Records"].([]any)
			if len(got) != len(entries) {
				rt.Fatalf("%s: got %d records, want %d", body, len(got), len(entries))
			}
			for i, e := range entries {
				r := got[i].(map[string]any)
				data, _ := json.Marshal(e.Data)
				if fmt.Sprintf("%q", r["Data"]) != string(data) || r["PartitionKey"] != e.PartitionKey {
					rt.Fatalf("%s: record %d is %v, want %+v", body, i, r, e)
				}
			}
		}
	})
}

// FuzzPutRecords feeds arbitrary bodies: an error is fine, a panic is not.
func FuzzPutRecords(f *testing.F) {
	f.Add([]byte(`{"Records":[{"Data":"eA==","PartitionKey":"k"}],"StreamName":"test"}`), false)
	f.Add([]byte(`{"Records":[{"Data":"eA==","PartitionKey":"k","ExplicitHashKey":""}],"StreamName":"test"}`), false)
	f.Add([]byte{0xa1, 0x67, 'R', 'e', 'c', 'o', 'r', 'd', 's', 0x80}, true)
	f.Fuzz(func(t *testing.T, body []byte, cbor bool) {
		s := newService(newClock().Now)
		call(t, s, "CreateStream", `{"StreamName":"test","ShardCount":1}`)
		r := &wire.Request{Operation: "PutRecords", Body: body, Encoding: wire.JSON11}
		if cbor {
			r.Encoding = wire.CBOR
		}
		_, _ = s.Serve(t.Context(), r)
	})
}

func TestPutRecords_BadText(t *testing.T) {
	s, _ := newStream(t, 1)
	_, err := try(t, s, "PutRecords", "{\"StreamName\":\"test\",\"Records\":[{\"Data\":\"\",\"PartitionKey\":\"a\nb\"}]}")
	wantError(t, err, "SerializationException")
	_, err = try(t, s, "PutRecords", "{\"StreamName\":\"test\",\"Records\":[{\"Data\":\"\",\"PartitionKey\":\"a\xffb\"}]}")
	wantError(t, err, "SerializationException")
}

// TestGetRecords_BehindInOneMillisecond: zero would say that nothing is left.
func TestGetRecords_BehindInOneMillisecond(t *testing.T) {
	s, _ := newStream(t, 1)
	call(t, s, "PutRecords", string(putBody(3, 1)))
	it := call(t, s, "GetShardIterator", iteratorBody("TRIM_HORIZON", ""))["ShardIterator"]
	for _, want := range []bool{true, true, false} {
		out := call(t, s, "GetRecords", fmt.Sprintf(`{"ShardIterator":%q,"Limit":1}`, it))
		it = out["NextShardIterator"]
		if got := out["MillisBehindLatest"].(float64); got > 0 != want {
			t.Errorf("%v ms behind, want more than 0: %v", got, want)
		}
	}
}
