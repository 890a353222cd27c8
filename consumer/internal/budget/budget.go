// Package budget bounds the bytes of messages the task holds, whatever the
// number of shards.
package budget

import (
	"context"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// Budget is a number of bytes that readers share; first come, first served.
// It is safe for use by several goroutines.
type Budget struct {
	size int64
	used atomic.Int64
	free *semaphore.Weighted
}

// New returns a Budget of size bytes.
func New(size int64) *Budget {
	return &Budget{size: size, free: semaphore.NewWeighted(size)}
}

// Size returns the budget in bytes, Used what of it is taken.
func (b *Budget) Size() int64 { return b.size }

// Used returns the bytes that are taken now.
func (b *Budget) Used() int64 { return b.used.Load() }

// Take waits for bytes, and returns them as a Share that must be given back.
// More than the whole budget is cut to the whole.
func (b *Budget) Take(ctx context.Context, bytes int64) (*Share, error) {
	bytes = min(bytes, b.size)
	if err := b.free.Acquire(ctx, bytes); err != nil {
		return nil, fmt.Errorf("wait for memory budget: %w", err)
	}
	b.used.Add(bytes)
	return &Share{budget: b, bytes: bytes}, nil
}

// Share is a part of the budget. It is for one goroutine at a time.
type Share struct {
	budget *Budget
	bytes  int64
}

// Shrink gives back all but bytes. A Share never grows.
func (s *Share) Shrink(bytes int64) {
	if back := s.bytes - max(bytes, 0); back > 0 {
		s.bytes -= back
		s.budget.used.Add(-back)
		s.budget.free.Release(back)
	}
}

// Return gives all of it back.
func (s *Share) Return() { s.Shrink(0) }
