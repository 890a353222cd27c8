package kpl_test

import (
	"bytes"
	"crypto/md5"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/kpl"
)

type vector struct {
	Name      string
	Aggregate []byte
	Records   []struct {
		Key, Hash string
		Data      []byte
	}
}

// vectors were made by aws-kinesis-agg: see testdata/make-vectors.cjs.
func vectors(t testing.TB) []vector {
	t.Helper()
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []vector
	if err := json.Unmarshal(data, &list); err != nil || len(list) < 7 {
		t.Fatalf("got %d vectors, %v", len(list), err)
	}
	return list
}

func unpack(t testing.TB, data []byte) []kpl.Record {
	t.Helper()
	a, err := kpl.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	var list []kpl.Record
	a.Each(func(r kpl.Record) bool { list = append(list, r); return true })
	if len(list) != a.Len() {
		t.Fatalf("got %d records, Len says %d", len(list), a.Len())
	}
	return list
}

func TestParse_Vectors(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			got := unpack(t, v.Aggregate)
			if len(got) != len(v.Records) {
				t.Fatalf("got %d records, want %d", len(got), len(v.Records))
			}
			for i, want := range v.Records {
				if got[i].PartitionKey != want.Key || got[i].ExplicitHashKey != want.Hash || !bytes.Equal(got[i].Data, want.Data) {
					t.Errorf("record %d: got %+v, want %+v", i, got[i], want)
				}
			}
		})
	}
}

// seal gives a body its magic and checksum.
func seal(body ...byte) []byte {
	sum := md5.Sum(body)
	return append(append([]byte{0xF3, 0x89, 0x9A, 0xC2}, body...), sum[:]...)
}

func TestParse_Damaged(t *testing.T) {
	good := vectors(t)[1].Aggregate
	flipped := bytes.Clone(good)
	flipped[10] ^= 1
	changed := bytes.Clone(good)
	changed[len(good)-md5.Size-1] ^= 1
	summed := bytes.Clone(good)
	summed[len(good)-1] ^= 1
	for name, data := range map[string][]byte{
		"flipped bit":          flipped,
		"other payload":        changed,
		"other checksum":       summed,
		"cut off":              good[:len(good)-1],
		"only magic":           good[:4],
		"no such key":          seal(0x1a, 4, 0x08, 0, 0x1a, 0),
		"record without data":  seal(0x0a, 1, 'k', 0x1a, 2, 0x08, 0),
		"length beyond end":    seal(0x0a, 9, 'k'),
		"endless number":       seal(0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
		"group":                seal(0x0b),
		"no explicit hash key": seal(0x0a, 1, 'k', 0x1a, 6, 0x08, 0, 0x10, 0, 0x1a, 0),
	} {
		t.Run(name, func(t *testing.T) {
			if a, err := kpl.Parse(data); !errors.Is(err, kpl.ErrDamaged) {
				t.Fatalf("got %+v, %v, want ErrDamaged", a, err)
			}
		})
	}
	if kpl.Looks([]byte(`{"foo":"bar"}`)) || !kpl.Looks(good) {
		t.Error("Looks does not tell an aggregate from JSON")
	}
}

func TestRange_Contains(t *testing.T) {
	low, err := kpl.NewRange("0", "170141183460469231731687303715884105727")
	if err != nil {
		t.Fatal(err)
	}
	high, err := kpl.NewRange("170141183460469231731687303715884105728", "340282366920938463463374607431768211455")
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		record kpl.Record
		low    bool
	}{
		"explicit at the start":  {kpl.Record{ExplicitHashKey: "0"}, true},
		"explicit at the border": {kpl.Record{ExplicitHashKey: "170141183460469231731687303715884105727"}, true},
		"explicit beyond it":     {kpl.Record{ExplicitHashKey: "170141183460469231731687303715884105728"}, false},
		"explicit at the end":    {kpl.Record{ExplicitHashKey: "340282366920938463463374607431768211455"}, false},
		"md5 of a is 0cc1…":      {kpl.Record{PartitionKey: "a"}, true},
		"md5 of b is 92eb…":      {kpl.Record{PartitionKey: "b"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := low.Contains(tc.record); got != tc.low {
				t.Errorf("low: got %v, want %v", got, tc.low)
			}
			if got := high.Contains(tc.record); got == tc.low {
				t.Errorf("high: got %v, want %v", got, !tc.low)
			}
		})
	}
	if _, err := kpl.NewRange("0", "340282366920938463463374607431768211456"); err == nil {
		t.Error("got no error for 2^128")
	}
}

func FuzzParse(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(v.Aggregate[4 : len(v.Aggregate)-16])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		_, _ = kpl.Parse(body)
		a, err := kpl.Parse(seal(body...))
		if err != nil {
			return
		}
		n := 0
		a.Each(func(r kpl.Record) bool {
			if r.Data == nil {
				t.Fatal("record without data")
			}
			n++
			return true
		})
		if n != a.Len() {
			t.Fatalf("Each gave %d records, Len says %d", n, a.Len())
		}
	})
}

func BenchmarkParse(b *testing.B) {
	data := vectors(b)[6].Aggregate
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := kpl.Parse(data); err != nil {
			b.Fatal(err)
		}
	}
}
