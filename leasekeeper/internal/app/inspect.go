package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/config"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/dynamo"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/inspect"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

// ErrWrong says that a report has problems; they stand in the report.
var ErrWrong = errors.New("something is wrong")

// inspectTimeout bounds everything but the pause between the two looks.
const inspectTimeout = time.Minute

// Inspect writes a report on the leases or, for the verb workers, the workers,
// as a table or as JSON. It only reads, and takes a little longer than a
// heartbeat and a checkpoint interval. The error wraps ErrWrong where the
// report has problems.
func Inspect(ctx context.Context, s *config.Settings, verb string, asJSON bool, w io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, inspect.Apart(lease.MaxDuration, s.CheckpointInterval)+inspectTimeout)
	defer cancel()
	execute, err := connect(ctx, s, zerolog.Nop())
	if err != nil {
		return err
	}
	watch := inspect.Watch{Execute: inspect.Executor(execute), Open: dynamo.Open, Stream: s.Stream,
		Duration: s.LeaseDuration, CheckpointInterval: s.CheckpointInterval}
	report, err := watch.Gather(ctx)
	if err != nil {
		return err
	}
	where := "the lines that begin with an exclamation mark"
	switch {
	case asJSON:
		where = "problems"
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(report)
	case verb == "workers":
		err = report.WriteWorkers(w, time.Now())
	default:
		err = report.WriteLeases(w)
	}
	if err == nil && report.Wrong() > 0 {
		return fmt.Errorf("%w: see %s", ErrWrong, where)
	}
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
