// Package retry repeats what a service did not answer, until its context ends:
// with full jitter, and pauses that grow from a fifth of a second to two seconds.
package retry

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
)

const (
	firstPause   = 200 * time.Millisecond // at most
	longestPause = 2 * time.Second
)

// Do tries until that gives no error, or one after which it shall not be tried
// again. When ctx ends, the error wraps the last one that came before: a try that
// was cut off by that end knows no reason.
func Do(ctx context.Context, try func() (again bool, err error)) error {
	var reason error
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		again, err := try()
		if err == nil || !again {
			return err
		}
		if reason == nil || ctx.Err() == nil {
			reason = err
		}
		timer := time.NewTimer(rand.N(pause))
		select {
		case <-ctx.Done():
			timer.Stop()
			return fmt.Errorf("AWS does not answer: %w", reason)
		case <-timer.C:
		}
	}
}

// Read repeats a read of a table or the stream until there is an answer, which
// may be a refusal. open tells of an error whether asking again may help.
func Read(ctx context.Context, execute func(context.Context, lease.Op) lease.Answer, open func(error) bool, op lease.Op) (a lease.Answer, err error) {
	err = Do(ctx, func() (bool, error) {
		a = execute(ctx, op)
		switch a.Outcome {
		case lease.Applied, lease.Refused:
			return false, nil
		case lease.Unknown:
			return true, a.Err
		default:
			return open(a.Err), a.Err
		}
	})
	return a, err
}
