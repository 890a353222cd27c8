package app

import (
	"context"
	"io"
	"time"

	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/config"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/dynamo"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/operate"
)

// Operate asks the running fleet for what verb says (pause, resume, release) and
// waits until it has taken effect: what a worker needs to learn of it and to
// drain, twice over. worker is the worker that is meant, for resume "" for the fleet.
func Operate(ctx context.Context, s *config.Settings, verb, worker string, w io.Writer) error {
	o, ctx, cancel, err := operator(ctx, s, w)
	if err != nil {
		return err
	}
	defer cancel()
	switch {
	case verb == "pause":
		return o.Pause(ctx)
	case verb == "release":
		return o.Release(ctx, worker)
	case worker != "":
		return o.TakeBack(ctx, worker)
	}
	return o.Resume(ctx)
}

// Rewind has leases read again from the target, or shows what that would be, and
// waits until it is done.
func Rewind(ctx context.Context, s *config.Settings, to operate.Target, shards []string, yes bool, w io.Writer) error {
	o, ctx, cancel, err := operator(ctx, s, w)
	if err != nil {
		return err
	}
	defer cancel()
	return o.Rewind(ctx, to, shards, yes)
}

func operator(ctx context.Context, s *config.Settings, w io.Writer) (*operate.Operator, context.Context, context.CancelFunc, error) {
	execute, err := connect(ctx, s, zerolog.Nop())
	if err != nil {
		return nil, nil, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 3*s.LeaseDuration+20*time.Second)
	return &operate.Operator{Execute: operate.Executor(execute), Open: dynamo.Open, Out: w, Every: s.LeaseDuration / 16}, ctx, cancel, nil
}
