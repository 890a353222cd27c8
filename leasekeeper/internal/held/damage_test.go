package held

import (
	"math"
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// What no Encode writes is refused, though every bit of it can be read.
func TestDecode_Strict(t *testing.T) {
	entry := func(w *writer) { fields{}.write(w, lease.Held{}) }
	for name, write := range map[string]func(w *writer){
		"a shard number too large": func(w *writer) { w.number(1); w.number(maxNumber + 1); entry(w); w.number(0) },
		"a shard number that overflows": func(w *writer) {
			w.number(2)
			w.number(5)
			entry(w)
			w.number(math.MaxUint64)
			entry(w)
			w.number(0)
		},
		"one shard twice": func(w *writer) {
			w.number(0)
			w.number(2)
			w.text("a")
			entry(w)
			w.text("a")
			entry(w)
		},
		"shards out of order": func(w *writer) {
			w.number(0)
			w.number(2)
			w.text("b")
			entry(w)
			w.text("a")
			entry(w)
		},
		"a shard without a name":   func(w *writer) { w.number(0); w.number(1); w.text(""); entry(w) },
		"a numbered shard by name": func(w *writer) { w.number(0); w.number(1); w.text("shardId-000000000001"); entry(w) },
		"a load without a code": func(w *writer) {
			w.number(0)
			w.number(1)
			w.text("a")
			w.number(0)
			w.number(fold(256))
			w.number(0)
			w.bit(false)
		},
		"a lag below zero": func(w *writer) {
			w.number(0)
			w.number(1)
			w.text("a")
			w.number(0)
			w.number(0)
			w.number(fold(-1))
			w.bit(false)
		},
		"a name longer than the rest": func(w *writer) { w.number(0); w.number(1); w.number(math.MaxInt64) },
		"ones in the last byte":       func(w *writer) { w.number(0); w.number(0); w.bit(true) },
		"more leases than bits":       func(w *writer) { w.number(math.MaxUint64); w.number(0) },
		"a number of 65 bits":         func(w *writer) { w.low(0, 65); w.bit(true); w.low(0, 64); w.number(0) },
	} {
		w := &writer{bytes: []byte{Version}}
		write(w)
		if got, err := Decode(w.bytes); err == nil {
			t.Errorf("%s: got %+v, want an error", name, got)
		}
	}
}
