package kinesis_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"pgregory.net/rapid"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/kinesis"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/reader"
)

// The members of an answer, for both encodings.
type (
	answer struct {
		Records            []record
		NextShardIterator  *string
		MillisBehindLatest *int64
		ChildShards        []child
	}
	record struct {
		SequenceNumber, PartitionKey string
		Data                         []byte
		ApproximateArrivalTimestamp  any
		EncryptionType               *string
		Later                        any `cbor:",omitempty" json:",omitempty"` // a member that nobody knows yet
	}
	child struct {
		ShardId      string
		ParentShards []string
		HashKeyRange *hashKeyRange
	}
	hashKeyRange struct{ StartingHashKey, EndingHashKey string }
)

func drawAnswer(t *rapid.T) (a answer, arrived []int64) {
	text := rapid.StringN(0, 30, -1)
	for range rapid.IntRange(0, 5).Draw(t, "records") {
		// From 2004 to 2038: in some other years seconds as a float, which JSON has, come out a millisecond early, of the SDK as well.
		arrived = append(arrived, rapid.Int64Range(1_100_000_000_000, 2_147_000_000_000).Draw(t, "arrived"))
		r := record{
			SequenceNumber: text.Draw(t, "sequence"), PartitionKey: text.Draw(t, "key"),
			Data: rapid.SliceOfN(rapid.Byte(), 0, 70_000).Draw(t, "data"), EncryptionType: rapid.Ptr(text, true).Draw(t, "encryption"),
		}
		if rapid.Bool().Draw(t, "later") {
			r.Later = map[string]any{"a": []any{1, -1, 0.5, true, nil, "x"}}
		}
		a.Records = append(a.Records, r)
	}
	a.NextShardIterator = rapid.Ptr(text, true).Draw(t, "next")
	a.MillisBehindLatest = rapid.Ptr(rapid.Int64Range(0, 1<<40), true).Draw(t, "behind")
	for range rapid.IntRange(0, 2).Draw(t, "children") {
		c := child{ShardId: "s" + text.Draw(t, "shard"), ParentShards: rapid.SliceOfN(text, 0, 2).Draw(t, "parents")}
		if rapid.Bool().Draw(t, "range") {
			c.HashKeyRange = &hashKeyRange{text.Draw(t, "from"), text.Draw(t, "to")}
		}
		a.ChildShards = append(a.ChildShards, c)
	}
	if a.Records == nil {
		a.Records = []record{}
	}
	return a, arrived
}

// times are ways to write a time in CBOR: as Kinesis does, and others.
var times = map[string]func(ms int64) any{
	"milliseconds":        func(ms int64) any { return cbor.Tag{Number: 1, Content: ms} },
	"plain milliseconds":  func(ms int64) any { return ms },
	"float milliseconds":  func(ms int64) any { return cbor.Tag{Number: 1, Content: float64(ms)} },
	"float seconds":       func(ms int64) any { return cbor.Tag{Number: 1, Content: float64(ms) / 1000} },
	"plain float seconds": func(ms int64) any { return float64(ms) / 1000 },
	"seconds, if it can be": func(ms int64) any {
		if ms%1000 != 0 {
			return ms
		}
		return cbor.Tag{Number: 1, Content: ms / 1000}
	},
}

// TestDecodeCBOR_EqualsJSON has the same records in CBOR, by another encoder,
// and in JSON, for the SDK.
func TestDecodeCBOR_EqualsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, arrived := drawAnswer(t)
		for i := range a.Records {
			a.Records[i].ApproximateArrivalTimestamp = json.Number(fmt.Sprintf("%d.%03d", arrived[i]/1000, arrived[i]%1000))
		}
		inJSON, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		out, err := bySDK(inJSON)
		if err != nil {
			t.Fatal(err)
		}
		for i := range a.Records {
			way := rapid.SampledFrom(sortedKeys(times)).Draw(t, "time")
			a.Records[i].ApproximateArrivalTimestamp = times[way](arrived[i])
		}
		inCBOR, err := cbor.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := kinesis.DecodeCBOR(inCBOR)
		if !ok {
			t.Fatal("not understood")
		}
		equal(t, got, kinesis.Convert(out))
	})
}

func sortedKeys[V any](m map[string]V) (list []string) {
	for k := range m {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}

type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

func equal(t failer, got, want *reader.Batch) {
	t.Helper()
	if got.Next != want.Next || got.BehindMS != want.BehindMS || got.Payload != want.Payload || !same(got.Children, want.Children) || len(got.Records) != len(want.Records) {
		t.Fatalf("got  %.3000s\nwant %.3000s", fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want))
	}
	for i, r := range got.Records {
		w := want.Records[i]
		if r.Sequence != w.Sequence || r.PartitionKey != w.PartitionKey || !r.Arrived.Equal(w.Arrived) || !bytes.Equal(r.Data, w.Data) {
			t.Fatalf("record %d:\ngot  %+v\nwant %+v", i, r, w)
		}
	}
}

// FuzzDecodeCBOR compares DecodeCBOR with another decoder on the same bytes:
// what DecodeCBOR takes, the other reads too, as the same.
func FuzzDecodeCBOR(f *testing.F) {
	next, behind := "AAA", int64(12)
	usual := answer{
		Records: []record{
			{SequenceNumber: "4960", PartitionKey: "k", Data: []byte("data"), ApproximateArrivalTimestamp: cbor.Tag{Number: 1, Content: 1_700_000_000_123}},
			{SequenceNumber: "4961", PartitionKey: "é", Data: []byte{}, ApproximateArrivalTimestamp: 1_700_000_000.123, Later: []int{1}},
		},
		NextShardIterator: &next, MillisBehindLatest: &behind,
		ChildShards: []child{{ShardId: "s", ParentShards: []string{"a", "b"}, HashKeyRange: &hashKeyRange{"0", "9"}}},
	}
	seed, err := cbor.Marshal(usual)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	for _, s := range []string{
		"\xbf\x67Records\x9f\xff\xff", // open map and array
		"\xa1\x67Records\x9f\xff", "\xa1\x67Records\x80x", "\xa0", "", "{}", "\xa1\x67Records\xf6", "\xa2\x67Records\x80\x67Records\x80",
		"\xa1\x67Records\x81\xbf\x6eSequenceNumber\x7f\x611\x612\xff\x6cPartitionKey\x61k\x64Data\x5f\x42ab\x40\x41c\xff\xff", // strings in pieces
		"\xa1\x67Records\x81\xa3\x6eSequenceNumber\x611\x6cPartitionKey\x61k\x64Data\xf6",
		"\xa1\x67Records\x81\xa3\x6eSequenceNumber\x611\x6cPartitionKey\x61\xff\x64Data\x40",
		"\xa1\x67Records\x81\xa3\x6eSequenceNumber\x611\x6cPartitionKey\x61k\x64Data\x5b\xff\xff\xff\xff\xff\xff\xff\xff",
		"\xa1\x67Records\x81\xa3\x6eSequenceNumber\x611\x6cPartitionKey\x61k\x64Data\x68AAECAw==", // base64, as kinesis-local has it
		"\xa1\x67Records\x81\xa3\x6eSequenceNumber\x611\x6cPartitionKey\x61k\x64Data\x64A-==",
		"\xa1\x67Records\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, ok := kinesis.DecodeCBOR(bytes.Clone(body))
		if !ok {
			return
		}
		want, err := byOther(body)
		if err != nil {
			t.Fatalf("%x: got %+v, the other says %v", body, got, err)
		}
		equal(t, got, want)
	})
}

// byOther is what another decoder makes of an answer.
func byOther(body []byte) (*reader.Batch, error) {
	mode, err := cbor.DecOptions{
		FieldNameMatching: cbor.FieldNameMatchingCaseSensitive, DupMapKey: cbor.DupMapKeyQuiet, TimeTag: cbor.DecTagIgnored, MaxNestedLevels: 64,
		IntDec: cbor.IntDecConvertNone, DefaultMapType: nil, MaxArrayElements: 1 << 20, MaxMapPairs: 1 << 20,
	}.DecMode()
	if err != nil {
		return nil, err
	}
	var a struct {
		Records []struct {
			SequenceNumber, PartitionKey string
			Data                         any
			ApproximateArrivalTimestamp  cbor.RawMessage
		}
		NextShardIterator  *string
		MillisBehindLatest *int64
		ChildShards        []child
	}
	if err := mode.Unmarshal(body, &a); err != nil {
		return nil, err
	}
	b := &reader.Batch{}
	for _, r := range a.Records {
		arrived, err := otherTime(mode, r.ApproximateArrivalTimestamp)
		if err != nil {
			return nil, err
		}
		data, ok := r.Data.([]byte)
		if text, is := r.Data.(string); is {
			data, err = base64.StdEncoding.DecodeString(text)
			ok = err == nil
		}
		if !ok {
			return nil, fmt.Errorf("data %v", r.Data)
		}
		b.Records = append(b.Records, reader.Record{Sequence: r.SequenceNumber, PartitionKey: r.PartitionKey, Data: data, Arrived: arrived})
		b.Payload += int64(len(data) + len(r.PartitionKey))
	}
	if a.NextShardIterator != nil {
		b.Next = *a.NextShardIterator
	}
	if a.MillisBehindLatest != nil {
		b.BehindMS = *a.MillisBehindLatest
	}
	b.Children = contractOf(a.ChildShards)
	return b, nil
}

func contractOf(list []child) (out []contract.ChildShard) {
	for _, c := range list {
		o := contract.ChildShard{Shard: c.ShardId, Parents: c.ParentShards}
		if h := c.HashKeyRange; h != nil {
			o.HashKeyRange = &contract.HashKeyRange{Start: h.StartingHashKey, End: h.EndingHashKey}
		}
		out = append(out, o)
	}
	return out
}

func otherTime(mode cbor.DecMode, raw cbor.RawMessage) (time.Time, error) {
	if len(raw) == 0 || raw[0] == 0xf6 || raw[0] == 0xf7 {
		return time.Time{}, nil
	}
	var tagged cbor.RawTag
	if raw[0]>>5 == 6 {
		if err := mode.Unmarshal(raw, &tagged); err != nil {
			return time.Time{}, err
		}
		raw = tagged.Content
	}
	var f float64
	var n int64
	if raw[0]>>5 != 7 {
		if err := mode.Unmarshal(raw, &n); err != nil {
			return time.Time{}, err
		}
		if n < 1e11 {
			n *= 1000
		}
		return time.UnixMilli(n), nil
	}
	if err := mode.Unmarshal(raw, &f); err != nil {
		return time.Time{}, err
	}
	if f < 1e11 {
		f *= 1000
	}
	return time.UnixMilli(int64(f)), nil
}
