package keeper

import (
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// Event is what happens to a Keeper: [Answered], [Sync], [SyncGone], [Tick] or
// [Shutdown].
type Event interface{ event() }

// Answered is the answer to a [Do]. Every Do is answered exactly once, in any
// order, at the latest after the bound on one attempt; an answer to an id that
// is not known is ignored.
type Answered struct {
	ID     uint64
	Answer lease.Answer
}

// Sync is a consumer's POST /v1/sync at the moment it arrived. It gets exactly
// one [Reply] with its ID, unless SyncGone comes first.
type Sync struct {
	ID      uint64 // the caller's choice, never used twice
	Request contract.SyncRequest
}

// SyncGone says that the caller of a Sync hung up before the reply. What the
// request reported stays reported.
type SyncGone struct{ ID uint64 }

// Tick says that time passed; due at [Keeper.Wake].
type Tick struct{}

// Shutdown asks the keeper to leave: hand everything over, sign off, [Exit].
type Shutdown struct{}

func (Answered) event() {}
func (Sync) event()     {}
func (SyncGone) event() {}
func (Tick) event()     {}
func (Shutdown) event() {}
