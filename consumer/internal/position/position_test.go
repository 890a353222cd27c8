package position_test

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/position"
)

func TestPosition_Compare(t *testing.T) {
	digits := rapid.StringMatching(`[0-9]{1,60}`)
	rapid.Check(t, func(t *rapid.T) {
		a := position.Position{Sequence: digits.Draw(t, "a"), Sub: rapid.Int64Range(0, 3).Draw(t, "a.sub")}
		b := position.Position{Sequence: digits.Draw(t, "b"), Sub: rapid.Int64Range(0, 3).Draw(t, "b.sub")}
		if rapid.Bool().Draw(t, "same") {
			b.Sequence = "0" + a.Sequence
		}
		na, _ := new(big.Int).SetString(a.Sequence, 10)
		nb, _ := new(big.Int).SetString(b.Sequence, 10)
		want := na.Cmp(nb)
		if want == 0 {
			want = big.NewInt(a.Sub).Cmp(big.NewInt(b.Sub))
		}
		if got := a.Compare(b); got != want {
			t.Fatalf("%v against %v: got %d, want %d", a, b, got, want)
		}
		if (position.Position{}).Compare(a) != -1 {
			t.Fatalf("the zero position is not before %v", a)
		}
	})
}
