// Package admin is the part of localaws that AWS does not have: fault rules,
// counters, limits and reset under /_localaws/, and the hook that applies and
// counts them.
package admin

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/counters"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/faults"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/localaws/internal/wire"
)

// Hook injects faults into calls and counts them. It implements wire.Hook.
type Hook struct {
	faults   *faults.Set
	counters *counters.Counters
	log      zerolog.Logger
}

// NewHook returns a hook over the rules and counters, which logs every call at
// debug level.
func NewHook(f *faults.Set, c *counters.Counters, log zerolog.Logger) *Hook {
	return &Hook{faults: f, counters: c, log: log}
}

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
	h.log.Debug().Str("service", s.Name()).Str("operation", r.Operation).Str("client", r.Client).
		Dur("took_ms", time.Since(r.Began)).AnErr("error", err).Bool("answer_lost", r.LoseResponse).Msg("call")
	if r.LoseResponse {
		return wire.ErrDrop
	}
	return nil
}
