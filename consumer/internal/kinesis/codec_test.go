package kinesis_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/kinesis"
)

// canned is an HTTP client that always gets the same answer.
type canned []byte

func (c canned) Do(*http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{}, ContentLength: int64(len(c)), Body: io.NopCloser(bytes.NewReader(c)),
	}, nil
}

// bySDK is what the SDK makes of an answer.
func bySDK(body []byte) (*sdk.GetRecordsOutput, error) {
	client := sdk.New(sdk.Options{Region: "eu-central-1", HTTPClient: canned(body), Retryer: aws.NopRetryer{}, Credentials: aws.AnonymousCredentials{}})
	return client.GetRecords(context.Background(), &sdk.GetRecordsInput{ShardIterator: aws.String("i")})
}

// FuzzDecode compares Decode with the SDK on the same bytes: what Decode takes,
// the SDK reads too, as the same; what is wrong to Decode is wrong to the SDK.
func FuzzDecode(f *testing.F) {
	record := `{"SequenceNumber":"49600000000000000000000001","ApproximateArrivalTimestamp":1.7000000001230E9,"Data":"eyJmb28iOiJiYXIifQ==","PartitionKey":"k"}`
	for _, s := range []string{
		`{"MillisBehindLatest":0,"NextShardIterator":"AAA/+==","Records":[]}`,
		`{"MillisBehindLatest":12,"NextShardIterator":"x","Records":[` + record + `,` + record + `]}`,
		` { "Records" : [ ` + record + ` ] , "NextShardIterator" : null , "ChildShards":[{"ShardId":"s","ParentShards":["a","b"],"HashKeyRange":{"StartingHashKey":"0","EndingHashKey":"9"}}] } `,
		`{"Records":[{"SequenceNumber":"1","Data":"","PartitionKey":"\u00e9\"\\é","ApproximateArrivalTimestamp":1700000000,"EncryptionType":"KMS"}],"NextShardIterator":"\/x"}`,
		`{"Records":[{"SequenceNumber":"1","Data":"!","PartitionKey":"k"}]}`,
		`{"Records":[{"SequenceNumber":"1","Data":"YQ=\u003d","PartitionKey":"k"}]}`,
		`{"Records":[{"SequenceNumber":"1","Data":"YQ","PartitionKey":"k"}]}`,
		`{"Records":[{"SequenceNumber":"1","Data":null,"PartitionKey":"k"}]}`,
		`{"Records":[{"SequenceNumber":"1","SequenceNumber":"2","Data":"","PartitionKey":"k"}]}`,
		`{"Records":null}`, `{"Records":[null]}`, `{}`, `[]`, ``, `{"Records":[]`, `{"Records":[]}x`, `{"Other":{"a":[1]},"Records":[]}`,
		`{"Records":[{"SequenceNumber":"1","Data":"AA==","PartitionKey":"k","ApproximateArrivalTimestamp":"x"}]}`,
		`{"Records":[{"SequenceNumber":"1","Data":"AA==","PartitionKey":"` + "\xff" + `","ApproximateArrivalTimestamp":0.1e1}]}`,
		`{"MillisBehindLatest":-1,"Records":[]}`, `{"MillisBehindLatest":1.5,"Records":[]}`, `{"MillisBehindLatest":1e3,"Records":[]}`,
		`{"Records":[{"SequenceNumber":"1","Data":"AB==","PartitionKey":"k"}]}`,
		`{"records":[],"Records":[]}`,
		data(strings.Repeat("QUJD", 8)), data(strings.Repeat("QUJD", 8) + "QUI="), data(strings.Repeat("QUJD", 7) + "QUI="), data(strings.Repeat("QUJD", 9) + "Q"),
		data(strings.Repeat("QUJD", 6) + `QU\u004aD` + strings.Repeat("QUJD", 6)), data(strings.Repeat("QUJD", 6) + `\n` + strings.Repeat("QUJD", 6)),
		data(strings.Repeat("QUJD", 6) + "\n" + strings.Repeat("QUJD", 6)), data(strings.Repeat("QUJD", 6) + "QUI=" + strings.Repeat("QUJD", 6)),
		data(strings.Repeat("QUJD", 6) + `QU\"`), data(strings.Repeat("QUJD", 6) + `QUJD\`), data(strings.Repeat("+/09", 6) + "-_=="),
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		mine := bytes.Clone(body)
		got, ok, err := kinesis.Decode(mine)
		out, sdkErr := bySDK(body)
		switch {
		case err != nil:
			if sdkErr == nil {
				t.Fatalf("%q: got error %v, the SDK reads it", body, err)
			}
			return
		case !ok:
			if !bytes.Equal(mine, body) {
				t.Fatalf("%q was changed to %q though left to the SDK", body, mine)
			}
			return
		case sdkErr != nil:
			t.Fatalf("%q: got %+v, the SDK says %v", body, got, sdkErr)
		}
		want := kinesis.Convert(out)
		if got.Next != want.Next || got.BehindMS != want.BehindMS || !same(got.Children, want.Children) || len(got.Records) != len(want.Records) {
			t.Fatalf("%q:\ngot  %+v\nwant %+v", body, got, want)
		}
		for i, r := range got.Records {
			w := want.Records[i]
			if r.Sequence != w.Sequence || r.PartitionKey != w.PartitionKey || !r.Arrived.Equal(w.Arrived) || !bytes.Equal(r.Data, w.Data) {
				t.Fatalf("%q: record %d:\ngot  %+v\nwant %+v", body, i, r, w)
			}
		}
	})
}

// data is an answer with a record of this text.
func data(text string) string {
	return `{"Records":[{"SequenceNumber":"1","Data":"` + text + `","PartitionKey":"k"}]}`
}

func same(a, b any) bool { return fmt.Sprintf("%+v", deref(a)) == fmt.Sprintf("%+v", deref(b)) }

// deref makes what pointers point to visible.
func deref(v any) []string {
	var out []string
	list := reflect.ValueOf(v)
	for i := range list.Len() {
		c := list.Index(i)
		s := fmt.Sprintf("%q %q", c.Field(0), c.Field(1))
		if r := c.Field(2); !r.IsNil() {
			s += fmt.Sprintf(" %+v", r.Elem().Interface())
		}
		out = append(out, s)
	}
	return out
}

// TestDecode_TakesTheUsual makes sure that what Kinesis sends is not left to
// the SDK.
func TestDecode_TakesTheUsual(t *testing.T) {
	big := strings.Repeat("payload ", 100_000)
	body := `{"MillisBehindLatest":0,"NextShardIterator":"AAAA+/=","Records":[{"SequenceNumber":"4960","ApproximateArrivalTimestamp":1.700000000123E9,"Data":"` +
		base64.StdEncoding.EncodeToString([]byte(big)) + `","PartitionKey":"k\u003c","EncryptionType":"NONE"}]}`
	b, ok, err := kinesis.Decode([]byte(body))
	if err != nil || !ok || len(b.Records) != 1 || string(b.Records[0].Data) != big || b.Records[0].PartitionKey != "k<" ||
		b.Records[0].Arrived.UnixMilli() != 1_700_000_000_123 || b.Next != "AAAA+/=" {
		t.Fatalf("got %v, %v, %+v", ok, err, b)
	}
}

func BenchmarkDecode(b *testing.B) {
	var s strings.Builder
	s.WriteString(`{"MillisBehindLatest":0,"NextShardIterator":"AAAA","Records":[`)
	data := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("x"), 100))
	for i := range 10_000 {
		if i > 0 {
			s.WriteByte(',')
		}
		fmt.Fprintf(&s, `{"SequenceNumber":"49600000000000000000000000000000000000000000000%09d","ApproximateArrivalTimestamp":1.700000000123E9,"Data":"%s","PartitionKey":"0f0f0f0f-1b4e-4c2a-9d3f-%012x"}`, i, data, i)
	}
	s.WriteString(`]}`)
	body := []byte(s.String())
	b.Run("Decode", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		scratch := make([]byte, len(body))
		for b.Loop() {
			copy(scratch, body)
			if _, ok, err := kinesis.Decode(scratch); !ok || err != nil {
				b.Fatal(ok, err)
			}
		}
	})
	b.Run("SDK", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		for b.Loop() {
			if _, err := bySDK(body); err != nil {
				b.Fatal(err)
			}
		}
	})
}
