package app_test

import (
	"context"
	"errors"
	"testing"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/app"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/handler"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/deadletter"
)

// letters counts what is removed.
type letters struct{ removed int }

func (l *letters) Remove(context.Context, handler.Message) error {
	l.removed++
	return nil
}

// TestRedrive removes the letters of messages that are done, and no others,
// whatever a handler returns.
func TestRedrive(t *testing.T) {
	bad := errors.New("x")
	for name, tc := range map[string]struct {
		handle     func() error
		done, kept int
		ends       bool // the redrive
	}{
		"done":             {func() error { return nil }, 1, 0, false},
		"failed":           {func() error { return bad }, 0, 1, false},
		"permanent":        {func() error { return handler.Permanent(bad) }, 0, 1, false},
		"failed by place":  {func() error { return handler.Failed{0: bad} }, 0, 1, false},
		"done by place":    {func() error { return handler.Failed{0: nil} }, 1, 0, false},
		"none failed":      {func() error { return handler.Failed{} }, 1, 0, false},
		"panic":            {func() error { panic("x") }, 0, 1, false},
		"sink unavailable": {func() error { return handler.Unavailable(bad) }, 0, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			l := &letters{}
			h := handler.Func(func(context.Context, handler.Message) error { return tc.handle() })
			done, kept, err := app.Redrive(context.Background(), h, l, deadletter.Letter{})
			if done != tc.done || kept != tc.kept || l.removed != tc.done || (err != nil) != tc.ends {
				t.Errorf("got %d done, %d kept, %d removed, error %v", done, kept, l.removed, err)
			}
		})
	}
}
