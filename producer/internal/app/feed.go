package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/time/rate"

	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/account"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/delivery"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/message"
	"github.com/terraform-ecs-kinesis/terraform-ecs-kinesis/producer/internal/source"
)

// submitter takes over messages.
type submitter interface {
	Submit(ctx context.Context, m message.Message) error
}

// feed moves messages from a source to delivery, at most rate a second. It
// reads ahead of delivery by one message only, so that a full buffer holds up
// the writer of a pipe.
type feed struct {
	source  source.Source
	into    submitter
	account *account.Account
	limiter *rate.Limiter // nil: no limit
	limit   int           // largest message, key included
	log     zerolog.Logger

	rejected int
}

// newLimiter returns nil for no limit. Half a second's messages may go at once
// to make up for a moment in which nothing could be sent, but not at the start.
func newLimiter(perSecond float64) *rate.Limiter {
	if perSecond <= 0 {
		return nil
	}
	burst := max(1, int(perSecond/2))
	limiter := rate.NewLimiter(rate.Limit(perSecond), burst)
	limiter.AllowN(time.Now(), burst-1)
	return limiter
}

// run feeds until the source ends (nil), ctx ends or delivery stops (nil), or
// the source breaks.
func (f *feed) run(ctx context.Context) error {
	for ctx.Err() == nil {
		switch err := f.one(ctx); {
		case err == nil:
		case ended(err) || ctx.Err() != nil:
			return nil //nolint:nilerr // how feeding ends
		default:
			return err
		}
	}
	return nil
}

// ended tells whether there is no more to feed, or nobody to feed it to.
func ended(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, delivery.ErrStopped) }

// one moves one message.
func (f *feed) one(ctx context.Context) error {
	m, err := f.source.Next()
	if err == nil && m.Size() > f.limit {
		err = &source.BadMessage{Position: m.Position, Reason: fmt.Sprintf("%d bytes with its key; the stream takes at most %d", m.Size(), f.limit)}
	}
	if err != nil {
		return f.reject(err)
	}
	if f.limiter != nil {
		if err := f.limiter.Wait(ctx); err != nil {
			return fmt.Errorf("wait for the rate limit: %w", err)
		}
	}
	return f.into.Submit(ctx, m)
}

// reject counts a bad message and goes on; any other error is returned.
func (f *feed) reject(err error) error {
	var bad *source.BadMessage
	if !errors.As(err, &bad) {
		return fmt.Errorf("read messages: %w", err)
	}
	f.account.Reject(bad.Position)
	if f.rejected++; f.rejected <= delivery.LoggedMessages {
		f.log.Error().Int64("position", bad.Position).Str("reason", bad.Reason).Msg("message rejected")
	}
	return nil
}
