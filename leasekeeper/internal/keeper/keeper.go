// Package keeper is the lease protocol as a state machine without input or
// output: it has no clock, no goroutine, no random source of its own and knows
// no database. It is told what happened and when ([Event], with a monotonic
// time), and says what should be done ([Action]); the same events always give
// the same actions.
//
// A driver owns the loop: it executes each [Do] in the background, feeds the
// answers back as [Answered], passes syncs in and replies out, and calls Handle
// with a [Tick] no later than [Keeper.Wake].
//
// What it does not guarantee: times are only as good as the driver's clock,
// which must run while the process does, within 5 % of everybody else's; a
// driver that delays events makes leases end early, never late.
package keeper

import (
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/contract"
)

// Keeper is one leasekeeper process: a worker life after the other, for a new
// one begins, under a new id, when peers have declared the old one dead. It is
// not safe for concurrent use.
type Keeper struct {
	cfg Config
}

// New returns a keeper that starts with its first Handle. Times are durations
// since an origin of the driver's choosing, the same for every call.
func New(cfg Config) *Keeper { return &Keeper{cfg: cfg} }

// Handle takes one event at time now, which never goes back, and returns what
// is to be done, in order. The slice is valid until the next call.
func (k *Keeper) Handle(now time.Duration, e Event) []Action {
	_, _ = now, e
	return nil
}

// Wake returns when the next Tick is due at the latest.
func (k *Keeper) Wake() time.Duration { return 0 }

// Worker returns the id of the present life; empty before the first Handle.
func (k *Keeper) Worker() string { return "" }

// Status returns what is known at time now. It costs time in proportion to all
// leases and workers and is for people, not for every event.
func (k *Keeper) Status(now time.Duration) contract.Status {
	_ = now
	return contract.Status{}
}
