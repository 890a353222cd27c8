package reader_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/budget"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/contract"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/consumer/internal/reader"
)

// pastDeadline is a context as a term.Term is right after SIGCONT: its deadline
// has passed, and the timer that closes Done has not fired yet.
type pastDeadline struct{ context.Context }

func (pastDeadline) Err() error { return context.DeadlineExceeded }

// source counts the reads.
type source struct{ reads int }

func (s *source) Iterator(context.Context, contract.Grant, reader.Start) (string, error) {
	return "iterator", nil
}

func (s *source) Records(context.Context, contract.Grant, string) (*reader.Batch, error) {
	s.reads++
	return &reader.Batch{}, nil
}

type nobody struct{}

func (nobody) Read(int, int64, int64)                              {}
func (nobody) Throttled()                                          {}
func (nobody) ReadFailed()                                         {}
func (nobody) Accept(context.Context, *reader.Batch, func()) error { return nil }

func TestPolling_Run_PastDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{}
		p := &reader.Polling{Source: s, Budget: budget.New(64 << 20), Observer: nobody{}, Log: zerolog.Nop()}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := p.Run(pastDeadline{ctx}, contract.Grant{}, nobody{}); err == nil {
			t.Error("got no error, want that of the context")
		}
		if s.reads != 0 {
			t.Errorf("got %d reads after the deadline, want none", s.reads)
		}
	})
}
