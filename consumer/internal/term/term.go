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

// Term is a context.Context. It tells no Deadline but its parent's, as its own
// may move: a context.WithTimeout of less than a context's Deadline would trust
// it and have no timer, so that renewals kept a call alive for ever. Err is not
// nil from the deadline on by the clock, also in the moment before the timer
// that closes Done has fired: a process that was stopped for a while sees it at
// once.
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

// Until returns the present deadline.
func (t *Term) Until() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.deadline
}

// Within returns a context that ends with t, by the clock as t does, or with
// the function.
func (t *Term) Within() (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(t)
	return within{ctx, t}, cancel
}

type within struct {
	context.Context
	term *Term
}

// Err implements context.Context.
func (w within) Err() error {
	_ = w.term.Err() // ends what is within it, too
	return w.Context.Err()
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
