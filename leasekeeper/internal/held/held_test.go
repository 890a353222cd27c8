package held_test

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/held"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

func genHeld() *rapid.Generator[[]lease.Held] {
	shard := rapid.OneOf(
		rapid.Map(rapid.OneOf(rapid.IntRange(0, 20), rapid.IntRange(0, 999_999_999_999)), func(n int) string { return fmt.Sprintf("shardId-%012d", n) }),
		rapid.StringMatching(`shardId-[0-9]{0,13}|shardId-\+[0-9]{11}|[a-zé -]{1,9}`),
	)
	one := rapid.Custom(func(t *rapid.T) lease.Held {
		h := lease.Held{Shard: shard.Draw(t, "shard"), Generation: rapid.Int64().Draw(t, "generation"),
			BytesPerSecond: held.RoundLoad(rapid.Int64Min(0).Draw(t, "load")), LagMillis: held.RoundLag(rapid.Int64Min(0).Draw(t, "lag")),
			Moving: rapid.Bool().Draw(t, "moving")}
		if h.Moving {
			h.To = rapid.Byte().Draw(t, "to")
		}
		return h
	})
	return rapid.Map(rapid.SliceOfDistinct(one, func(h lease.Held) string { return h.Shard }), func(list []lease.Held) []lease.Held {
		slices.SortFunc(list, func(a, b lease.Held) int { return strings.Compare(a.Shard, b.Shard) })
		return list
	})
}

func TestDecode_InvertsEncode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := genHeld().Draw(t, "held")
		got, err := held.Decode(held.Encode(want))
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("got %+v, %v, want %+v", got, err, want)
		}
	})
}

// What is cut off, goes on or has one bit turned is an error, or says something
// else: it never says nothing.
func TestDecode_RefusesDamage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := held.Encode(genHeld().Draw(t, "held"))
		if got, err := held.Decode(whole[:rapid.IntRange(0, len(whole)-1).Draw(t, "cut")]); err == nil {
			t.Fatalf("got %+v from a part", got)
		}
		if got, err := held.Decode(append(slices.Clone(whole), 0)); err == nil {
			t.Fatalf("got %+v from too much", got)
		}
		whole[0]++
		if got, err := held.Decode(whole); err == nil {
			t.Fatalf("got %+v from a version of the future", got)
		}
	})
}

// FuzzDecode: whatever is decoded is what would be encoded, bit for bit.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{})
	f.Add(held.Encode(nil))
	f.Add(held.Encode([]lease.Held{{Shard: "shardId-000000000007", Generation: 9, Moving: true, To: 200}, {Shard: "x", BytesPerSecond: 1 << 20}}))
	f.Add([]byte{1, 0xff, 0xff})
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := held.Decode(data)
		if err != nil {
			return
		}
		if again := held.Encode(list); !bytes.Equal(again, data) {
			t.Fatalf("%x decodes to %+v, which encodes to %x", data, list, again)
		}
	})
}

// TestEncode_Size keeps heartbeats at one write unit: 1 KiB with the row's other
// attributes, which are some 170 bytes.
func TestEncode_Size(t *testing.T) {
	const room = 1024 - 180
	for _, c := range []struct {
		leases, workers int
		busy            bool
	}{{300, 1, false}, {300, 1, true}, {1000, 2, false}, {1000, 3, false}, {1000, 3, true}} {
		var list []lease.Held
		for i := range c.leases {
			if i*7919%10007%c.workers != 0 { // another worker's
				continue
			}
			h := lease.Held{Shard: fmt.Sprintf("shardId-%012d", i), Generation: int64(40 + i*31%5)}
			if c.busy {
				h.BytesPerSecond, h.LagMillis = held.RoundLoad(int64(500_000+i*7919%400_000)), held.RoundLag(int64(i*31%900))
			}
			list = append(list, h)
		}
		size := len(held.Encode(list))
		t.Logf("%+v: %d leases in %d bytes", c, len(list), size)
		if size > room {
			t.Errorf("got %d bytes for %+v, want at most %d", size, c, room)
		}
	}
}

func TestRoundLoad(t *testing.T) {
	for _, c := range []struct{ value, want int64 }{
		{-5, 0}, {0, 0}, {511, 0}, {512, 1024}, {15 << 10, 15 << 10}, {17 << 10, 18 << 10}, {1_000_000, 15 << 16}, {1 << 62, 15 << 40},
	} {
		if got := held.RoundLoad(c.value); got != c.want {
			t.Errorf("RoundLoad(%d): got %d, want %d", c.value, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Int64Range(0, 1<<40).Draw(t, "value")
		got := held.RoundLoad(v)
		if off := max(got-v, v-got); off > max(512, v/16) || held.RoundLoad(got) != got {
			t.Fatalf("RoundLoad(%d): got %d, and %d again", v, got, held.RoundLoad(got))
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	var list []lease.Held
	for i := range 1000 {
		list = append(list, lease.Held{Shard: fmt.Sprintf("shardId-%012d", i), Generation: int64(i % 3)})
	}
	data := held.Encode(list)
	if got, _ := held.Decode(data); !reflect.DeepEqual(got, list) {
		b.Fatal("decodes to something else")
	}
	for b.Loop() {
		_, _ = held.Decode(data)
	}
}
