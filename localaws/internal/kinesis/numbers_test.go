package kinesis_test

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/kinesis"
)

func fields(t *rapid.T, label string) kinesis.SequenceFields {
	return kinesis.SequenceFields{
		Created: rapid.Int64Range(0, 1<<43-1).Draw(t, label+" created"),
		Index:   rapid.Uint64Range(0, 1<<60-1).Draw(t, label+" index"),
		Arrival: rapid.Int64Range(0, 1<<34-1).Draw(t, label+" arrival"),
		Shard:   rapid.Uint32().Draw(t, label+" shard"),
	}
}

func TestSequence_RoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := fields(t, "")
		text := kinesis.FormatSequence(want)
		if len(text) != 56 || !strings.HasPrefix(text, "4") && !strings.HasPrefix(text, "5") {
			t.Fatalf("got %s, want 56 digits", text)
		}
		got, ok := kinesis.ParseSequence(text)
		if !ok || got != want {
			t.Fatalf("%s reads as %+v %v, want %+v", text, got, ok, want)
		}
	})
}

// TestSequence_Order checks that numbers compare by shard creation, then by
// index, whatever the arrival and the shard.
func TestSequence_Order(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := fields(t, "a"), fields(t, "b")
		if rapid.Bool().Draw(t, "same shard") {
			b.Created = a.Created
		}
		less := a.Created < b.Created || a.Created == b.Created && a.Index < b.Index
		more := a.Created > b.Created || a.Created == b.Created && a.Index > b.Index
		got := strings.Compare(kinesis.FormatSequence(a), kinesis.FormatSequence(b)) // as long as each other
		if less && got >= 0 || more && got <= 0 {
			t.Fatalf("%+v against %+v compares as %d", a, b, got)
		}
	})
}

func TestSequence_Foreign(t *testing.T) {
	for _, text := range []string{"", "0", "12", strings.Repeat("9", 56), "49" + strings.Repeat("0", 54), strings.Repeat("x", 56), strings.Repeat("4", 57)} {
		if got, ok := kinesis.ParseSequence(text); ok {
			t.Errorf("%q reads as %+v, want no sequence number of ours", text, got)
		}
	}
}

func TestHashKey_AgreesWithBig(t *testing.T) {
	limit := new(big.Int).Lsh(big.NewInt(1), 128)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`0|[1-9][0-9]{0,39}`).Draw(t, "text")
		want, _ := new(big.Int).SetString(text, 10)
		got, ok := kinesis.ParseHashKey(text)
		if fits := want.Cmp(limit) < 0; ok != fits || ok && got != text {
			t.Fatalf("%s reads as %s %v, want %v", text, got, ok, fits)
		}
	})
	for _, text := range []string{"", "00", "-1", "1x", "340282366920938463463374607431768211456"} {
		if _, ok := kinesis.ParseHashKey(text); ok {
			t.Errorf("%q is taken for a hash key", text)
		}
	}
}
