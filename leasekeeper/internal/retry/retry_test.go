package retry_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/lease"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/leasekeeper/internal/retry"
)

var (
	errThrottled = errors.New("throttled")
	errDenied    = errors.New("denied")
)

// Pauses grow to two seconds and no two callers keep step; with its context it ends.
func TestDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		began, last, tries, early, longest := time.Now(), time.Now(), 0, time.Duration(0), time.Duration(0)
		err := retry.Do(ctx, func() (bool, error) {
			pause := time.Since(last)
			last, longest = time.Now(), max(longest, pause)
			if tries++; tries == 2 {
				early = pause
			}
			return true, errThrottled
		})
		if !errors.Is(err, errThrottled) || time.Since(began) != 10*time.Minute {
			t.Errorf("got %v after %s, want the last error when the time is up", err, time.Since(began))
		}
		if tries < 400 || tries > 900 || early > 200*time.Millisecond || longest > 2*time.Second || longest < time.Second {
			t.Errorf("got %d tries, the first after %s, the longest pause %s; want pauses of a second on average", tries, early, longest)
		}
	})
}

// A try that is cut off when the time is up does not hide why those before failed.
func TestDo_CutOff(t *testing.T) {
	for name, earlier := range map[string]error{"the first": nil, "a later one": errThrottled} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				failing := earlier
				err := retry.Do(ctx, func() (bool, error) {
					if err := failing; err != nil {
						failing = nil
						return true, err
					}
					<-ctx.Done()
					return true, ctx.Err()
				})
				want := earlier
				if want == nil {
					want = context.DeadlineExceeded
				}
				if !errors.Is(err, want) {
					t.Errorf("got %v, want %v", err, want)
				}
			})
		})
	}
}

// A read without an answer is made again, one that was denied is not.
func TestRead(t *testing.T) {
	open := func(err error) bool { return errors.Is(err, errThrottled) }
	for name, tc := range map[string]struct {
		answers []lease.Answer
		want    error
		tries   int
	}{
		"applied":   {[]lease.Answer{{Outcome: lease.Applied}}, nil, 1},
		"refused":   {[]lease.Answer{{Outcome: lease.Refused, Err: errDenied}}, nil, 1},
		"throttled": {[]lease.Answer{{Outcome: lease.Failed, Err: errThrottled}, {Outcome: lease.Unknown, Err: errDenied}, {Outcome: lease.Applied}}, nil, 3},
		"denied":    {[]lease.Answer{{Outcome: lease.Failed, Err: errDenied}}, errDenied, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				tries := 0
				a, err := retry.Read(ctx, func(context.Context, lease.Op) lease.Answer {
					tries++
					return tc.answers[min(tries, len(tc.answers))-1]
				}, open, lease.ScanWorkers{})
				if !errors.Is(err, tc.want) || tries != tc.tries || a.Outcome != tc.answers[len(tc.answers)-1].Outcome {
					t.Errorf("got %v, %v after %d tries, want %v after %d", a.Outcome, err, tries, tc.want, tc.tries)
				}
			})
		})
	}
}
