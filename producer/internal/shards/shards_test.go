package shards_test

import (
	"crypto/md5"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/shards"
)

func TestHashOf(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		key := rapid.OneOf(rapid.String(), rapid.Map(rapid.IntRange(250, 1024), func(n int) string { return strings.Repeat("ä", n/2) })).Draw(rt, "key")
		sum := md5.Sum([]byte(key))
		want := new(big.Int).SetBytes(sum[:]).String()
		got := shards.HashOf(key)
		if got.Decimal() != want {
			rt.Fatalf("got %s, want %s", got.Decimal(), want)
		}
		if back, err := shards.ParseHash(want); err != nil || back != got {
			rt.Fatalf("got %v, %v, want %v", back, err, got)
		}
	})
	for _, bad := range []string{"", "-1", "x", "340282366920938463463374607431768211456"} {
		if _, err := shards.ParseHash(bad); err == nil {
			t.Errorf("got no error for %q", bad)
		}
	}
}

func hash(n int64) shards.Hash {
	h, err := shards.ParseHash(big.NewInt(n).String())
	if err != nil {
		panic(err)
	}
	return h
}

func TestNewMap(t *testing.T) {
	most := shards.Hash{Hi: ^uint64(0), Lo: ^uint64(0)}
	a, b, c := shards.Range{ID: "a", End: hash(9)}, shards.Range{ID: "b", Start: hash(10), End: hash(20)}, shards.Range{ID: "c", Start: hash(21), End: most}
	m, err := shards.NewMap([]shards.Range{c, a, b}, []shards.Range{{ID: "old", End: most}})
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int64]string{0: "a", 9: "a", 10: "b", 20: "b", 21: "c", 1 << 62: "c"} {
		if got := m.ID(m.Find(hash(n))); got != want {
			t.Errorf("got %s for %d, want %s", got, n, want)
		}
	}
	if got := m.ID(m.Find(most)); got != "c" {
		t.Errorf("got %s for the largest, want c", got)
	}
	if r, ok := m.Range("old"); !ok || !r.Contains(most) {
		t.Error("the closed shard is not known")
	}
	for name, ranges := range map[string][]shards.Range{
		"none": {}, "gap": {a, c}, "no end": {a, b}, "overlap": {a, b, b, c}, "twice whole": {{End: most}, {End: most}}, "backwards": {{Start: hash(5), End: hash(4)}},
	} {
		if _, err := shards.NewMap(ranges, nil); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
	if w := shards.Whole(); w.Len() != 1 || w.ID(w.Find(hash(7))) != "" || !m.Same(m) || m.Same(w) {
		t.Error("the unknown map is not one nameless shard")
	}
}
