package budget_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/budget"
)

func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := budget.New(100)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		all, err := b.Take(ctx, 150) // more than there is
		if err != nil || b.Used() != 100 || b.Size() != 100 {
			t.Fatalf("got %d of %d used, %v, want the whole", b.Used(), b.Size(), err)
		}
		all.Shrink(120) // never grows
		all.Shrink(70)
		some, err := b.Take(ctx, 30)
		if err != nil || b.Used() != 100 {
			t.Fatalf("got %d used, %v, want what was given back taken", b.Used(), err)
		}
		time.AfterFunc(time.Second, all.Return)
		begin := time.Now()
		more, err := b.Take(ctx, 50)
		if err != nil || time.Since(begin) != time.Second {
			t.Fatalf("got %v after %s, want it once there is room", err, time.Since(begin))
		}
		all.Return() // again
		some.Return()
		more.Shrink(-1)
		if b.Used() != 0 {
			t.Errorf("got %d used at the end", b.Used())
		}
		whole, _ := b.Take(ctx, 100)
		if _, err := b.Take(ctx, 1); !errors.Is(err, context.DeadlineExceeded) || b.Used() != 100 {
			t.Errorf("got %v, %d used, want the end of the context", err, b.Used())
		}
		whole.Return()
	})
}
