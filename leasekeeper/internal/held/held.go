// Package held is the format of `held` in the worker table: which leases a
// worker holds, in about a byte each, so that a heartbeat costs one write unit
// with hundreds of them.
//
// After the version byte comes a string of bits. Numbers are written as in
// gamma coding: as many zeros as the number has bits, a one, and those bits
// without the leading one; differences with a sign are folded into these. First
// come the shards called shardId-%012d: their count, then each as the distance
// from the one before; then all others: their count, and each as length and
// bytes. With each shard stand the differences of generation, load and lag to
// the shard before, one bit that says whether it moves and, if so, eight with the
// tag of the worker it moves to. Zeros fill the last byte.
package held

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// Version is the first byte of what Encode writes.
const Version = 1

const (
	prefix    = "shardId-"
	digits    = 12
	maxNumber = 999_999_999_999
)

var errDamaged = errors.New("held is damaged")

// Encode writes leases, which are sorted by shard without a repetition. Load
// and lag are kept as far as RoundLoad and RoundLag keep them.
func Encode(leases []lease.Held) []byte {
	var numbered, others []lease.Held
	for _, h := range leases {
		if _, ok := number(h.Shard); ok {
			numbered = append(numbered, h)
		} else {
			others = append(others, h)
		}
	}
	w := &writer{bytes: []byte{Version}}
	var before fields
	w.number(uint64(len(numbered)))
	next := uint64(0)
	for _, h := range numbered {
		n, _ := number(h.Shard)
		w.number(n - next)
		next = n + 1
		before = before.write(w, h)
	}
	w.number(uint64(len(others)))
	for _, h := range others {
		w.text(h.Shard)
		before = before.write(w, h)
	}
	return w.bytes
}

// Decode reads what Encode wrote, sorted by shard. Anything else is an error;
// what it takes in memory and time is in proportion to the input.
func Decode(data []byte) ([]lease.Held, error) {
	if len(data) == 0 {
		return nil, errors.New("held is empty")
	}
	if data[0] != Version {
		return nil, fmt.Errorf("held has the unknown version %d", data[0])
	}
	r := &reader{bytes: data[1:]}
	var before fields
	var leases []lease.Held
	next := uint64(0)
	for range r.number() {
		n := next + r.number()
		if n < next || n > maxNumber || r.failed {
			return nil, errDamaged
		}
		next = n + 1
		leases = append(leases, before.read(r, fmt.Sprintf("%s%0*d", prefix, digits, n)))
	}
	last := ""
	for range r.number() {
		shard := r.text()
		if _, ok := number(shard); ok || shard <= last {
			return nil, errDamaged
		}
		last = shard
		leases = append(leases, before.read(r, shard))
	}
	if !r.ended() {
		return nil, errDamaged
	}
	slices.SortFunc(leases, func(a, b lease.Held) int { return strings.Compare(a.Shard, b.Shard) })
	return leases, nil
}

// number returns the number in a shard's id; false where it is of another form.
func number(shard string) (uint64, bool) {
	text, ok := strings.CutPrefix(shard, prefix)
	if !ok || len(text) != digits {
		return 0, false
	}
	n, err := strconv.ParseUint(text, 10, 64) // takes no sign
	return n, err == nil
}

// fields are those of the lease before, from which the next differs little.
type fields struct{ generation, load, lag int64 }

func (f fields) write(w *writer, h lease.Held) fields {
	now := fields{h.Generation, loads.code(h.BytesPerSecond), lags.code(h.LagMillis)}
	w.number(fold(now.generation - f.generation))
	w.number(fold(now.load - f.load))
	w.number(fold(now.lag - f.lag))
	w.bit(h.Moving)
	if h.Moving {
		w.low(uint64(h.To), 8)
	}
	return now
}

func (f *fields) read(r *reader, shard string) lease.Held {
	f.generation += unfold(r.number())
	f.load += unfold(r.number())
	f.lag += unfold(r.number())
	if f.load < 0 || f.load > maxCode || f.lag < 0 || f.lag > maxCode {
		r.failed = true
		return lease.Held{}
	}
	h := lease.Held{Shard: shard, Generation: f.generation, BytesPerSecond: loads.value(f.load), LagMillis: lags.value(f.lag), Moving: r.bit()}
	if h.Moving {
		h.To = byte(r.low(8))
	}
	return h
}
