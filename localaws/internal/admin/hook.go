// Package admin is the part of localaws that AWS does not have: fault rules,
// counters, limits and reset under /_localaws/, and the hook that applies and
// counts them.
package admin

import (
	"context"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/counters"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/faults"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// Hook injects faults into calls and counts them. It implements wire.Hook.
type Hook struct {
	faults   *faults.Set
	counters *counters.Counters
}

// NewHook returns a hook over the rules and counters.
func NewHook(f *faults.Set, c *counters.Counters) *Hook { return &Hook{faults: f, counters: c} }

// Before implements wire.Hook.
func (h *Hook) Before(ctx context.Context, s wire.Service, r *wire.Request) error {
	r.CountEvent = func(operation string, u wire.Usage) {
		h.counters.Add(s.Name(), &wire.Request{Operation: operation, Client: r.Client, Usage: u}, nil)
	}
	lose, err := h.faults.Before(ctx, s, r)
	r.LoseResponse = lose
	return err
}

// After implements wire.Hook.
func (h *Hook) After(_ context.Context, s wire.Service, r *wire.Request, err error) error {
	h.counters.Add(s.Name(), r, err)
	if r.LoseResponse {
		return wire.ErrDrop
	}
	return nil
}
