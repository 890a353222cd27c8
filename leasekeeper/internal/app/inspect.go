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
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/inspect"
)

// ErrWrong says that a report has problems; they stand in the report.
var ErrWrong = errors.New("something is wrong: see the lines that begin with an exclamation mark")

// inspectTimeout bounds everything after the pause between the two looks.
const inspectTimeout = time.Minute

// Inspect writes a report on the leases or, for the verb workers, the workers,
// as a table or as JSON. It only reads, and takes a little longer than a
// heartbeat and a checkpoint interval. The error wraps ErrWrong where the
// report has problems.
func Inspect(ctx context.Context, s *config.Settings, verb string, asJSON bool, w io.Writer) error {
	apart := s.LeaseDuration/4 + max(s.LeaseDuration/4, s.CheckpointInterval)
	ctx, cancel := context.WithTimeout(ctx, apart+inspectTimeout)
	defer cancel()
	execute, err := connect(ctx, s, zerolog.Nop())
	if err != nil {
		return err
	}
	report, err := inspect.Gather(ctx, inspect.Executor(execute), apart, s.Stream)
	if err != nil {
		return err
	}
	switch {
	case asJSON:
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(report)
	case verb == "workers":
		err = report.WriteWorkers(w, time.Now())
	default:
		err = report.WriteLeases(w)
	}
	if err == nil && report.Wrong() > 0 {
		return ErrWrong
	}
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
