// Package term is the time a grant is good for: a context whose deadline moves
// forward with every renewal, and which never comes back once it has passed.
package term

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrExpired is the cause of a Term whose deadline has passed.
var ErrExpired = errors.New("the grant has expired")

// Term is a context.Context. Deadline tells the present deadline, which may
// still move. Err is not nil from the deadline on by the clock, also in the
// moment before the timer that closes Done has fired: a process that was
// stopped for a while sees it at once.
type Term struct {
	context.Context
	cancel context.CancelCauseFunc

	mu       sync.Mutex
	deadline time.Time
	timer    *time.Timer
}

// New returns a Term that ends at deadline, with parent, or with End.
func New(parent context.Context, deadline time.Time) *Term {
	ctx, cancel := context.WithCancelCause(parent)
	t := &Term{Context: ctx, cancel: cancel, deadline: deadline}
	t.timer = time.AfterFunc(time.Until(deadline), t.check)
	return t
}

// Extend moves the deadline. It never moves back, and a Term that has ended
// stays so.
func (t *Term) Extend(deadline time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if !now.Before(t.deadline) || !deadline.After(t.deadline) {
		return
	}
	t.deadline = deadline
	t.timer.Reset(deadline.Sub(now))
}

// End ends the Term at once; cause is what context.Cause tells.
func (t *Term) End(cause error) {
	t.timer.Stop()
	t.cancel(cause)
}

// Deadline implements context.Context.
func (t *Term) Deadline() (time.Time, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.deadline, true
}

// Err implements context.Context.
func (t *Term) Err() error {
	if err := t.Context.Err(); err != nil {
		return err
	}
	t.check()
	return t.Context.Err()
}

// check ends the Term when its deadline has passed. A timer that fired just
// before Extend moved it finds that there is time left, and does nothing: Extend
// has set it anew.
func (t *Term) check() {
	t.mu.Lock()
	passed := !time.Now().Before(t.deadline)
	t.mu.Unlock()
	if passed {
		t.cancel(ErrExpired)
	}
}
