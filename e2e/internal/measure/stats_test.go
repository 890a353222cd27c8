package measure_test

import (
	"testing"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/e2e/internal/measure"
)

func TestDurations(t *testing.T) {
	var d measure.Durations
	if got := d.Quantile(0.5); got != 0 {
		t.Errorf("got %s of an empty sample, want 0", got)
	}
	for i := 100; i > 0; i-- {
		d = append(d, time.Duration(i)*20*time.Millisecond)
	}
	want := "100 | 20 ms | 1.00 s | 1.80 s | 1.98 s | 2.00 s"
	if got := d.Row(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
