package app

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/account"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/delivery"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/message"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/source"
)

// script is a source and a sink.
type script struct {
	steps []any // message.Message or error
	got   []int64
	stop  int // Submit says ErrStopped from this many messages on; 0: never
}

func (s *script) Next() (message.Message, error) {
	if len(s.steps) == 0 {
		return message.Message{}, io.EOF
	}
	step := s.steps[0]
	s.steps = s.steps[1:]
	if err, bad := step.(error); bad {
		return message.Message{}, err
	}
	return step.(message.Message), nil
}

func (s *script) Submit(_ context.Context, m message.Message) error {
	if s.stop > 0 && len(s.got) >= s.stop {
		return delivery.ErrStopped
	}
	s.got = append(s.got, m.Position)
	return nil
}

func TestFeed(t *testing.T) {
	m := func(position int64, size int) message.Message {
		return message.Message{Data: make([]byte, size), Key: "k", Position: position}
	}
	broken := errors.New("unplugged")
	for name, tc := range map[string]struct {
		steps         []any
		stop          int
		got, rejected []int64
		err           error
	}{
		"all":           {steps: []any{m(1, 5), m(2, 9)}, got: []int64{1, 2}},
		"too large":     {steps: []any{m(1, 10), m(2, 9)}, got: []int64{2}, rejected: []int64{1}},
		"bad one":       {steps: []any{m(1, 1), &source.BadMessage{Position: 2}, m(3, 1)}, got: []int64{1, 3}, rejected: []int64{2}},
		"broken source": {steps: []any{m(1, 1), broken, m(3, 1)}, got: []int64{1}, err: broken},
		"stopped":       {steps: []any{m(1, 1), m(2, 1), m(3, 1)}, stop: 2, got: []int64{1, 2}},
	} {
		t.Run(name, func(t *testing.T) {
			s, books := &script{steps: tc.steps, stop: tc.stop}, account.New()
			f := &feed{source: s, into: s, account: books, limit: 10, log: zerolog.Nop()}
			if err := f.run(t.Context()); !errors.Is(err, tc.err) || tc.err == nil && err != nil {
				t.Errorf("got %v, want %v", err, tc.err)
			}
			if !slices.Equal(s.got, tc.got) || books.Now().Rejected != int64(len(tc.rejected)) {
				t.Errorf("got %v and %d rejected, want %v and %v", s.got, books.Now().Rejected, tc.got, tc.rejected)
			}
		})
	}
}

func TestFeed_Rate(t *testing.T) {
	for _, perSecond := range []float64{0.5, 10, 1000} {
		synctest.Test(t, func(t *testing.T) {
			s := &script{}
			n := int(perSecond*10) + 1
			for i := range n {
				s.steps = append(s.steps, message.Message{Key: "k", Position: int64(i)})
			}
			started := time.Now()
			f := &feed{source: s, into: s, account: account.New(), limiter: newLimiter(perSecond), limit: 10, log: zerolog.Nop()}
			if err := f.run(t.Context()); err != nil || len(s.got) != n {
				t.Fatalf("got %d messages, %v", len(s.got), err)
			}
			if got := time.Since(started); got < 9800*time.Millisecond || got > 10100*time.Millisecond {
				t.Errorf("%v a second: %d messages took %s, want about 10 s", perSecond, n, got)
			}
		})
	}
}
